#include "app/cli/cuda_probe.h"

#include <array>
#include <dlfcn.h>

#include "core/base/text.h"

namespace qaq::cli {
namespace {

// A function of the driver's interface; all of those used here return 0 for success.
template <class... Arguments>
bool call(void* library, const char* name, Arguments... arguments) {
  void* symbol = dlsym(library, name);
  return symbol && reinterpret_cast<int (*)(Arguments...)>(symbol)(arguments...) == 0;
}

}  // namespace

// The library stays open: it may have started threads.
CudaProbe probe_cuda() {
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return {.problem = "no NVIDIA driver found"};
  int version = 0, n_devices = 0;
  if (!call(library, "cuInit", 0u) || !call(library, "cuDriverGetVersion", &version)) {
    return {.problem = "the NVIDIA driver does not start"};
  }
  CudaProbe probe{.driver = cat(version / 1000, ".", version % 1000 / 10)};
  if (!call(library, "cuDeviceGetCount", &n_devices) || n_devices == 0) {
    probe.problem = "the NVIDIA driver sees no GPU";
    return probe;
  }
  for (int i = 0; i < n_devices; ++i) {
    std::array<char, 256> name{};
    int device = 0;
    if (call(library, "cuDeviceGet", &device, i) &&
        call(library, "cuDeviceGetName", name.data(), static_cast<int>(name.size()) - 1, device)) {
      probe.devices.emplace_back(name.data());
    }
  }
  return probe;
}

}  // namespace qaq::cli
