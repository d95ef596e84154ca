#include "gpu/device/probe.h"

#include <cuda_runtime_api.h>

#include "core/base/text.h"
#include "gpu/device/error.h"

namespace qaq::cuda {
namespace {

// mma.m16n8k16 is refused below it.
constexpr int kLeastCapability = 80;

std::string problem_of(cudaError_t status, const Probe& found) {
  if (status == cudaErrorInsufficientDriver && found.driver == 0) return "no NVIDIA driver found";
  if (status == cudaErrorInsufficientDriver) {
    return cat("driver supports CUDA ", version_text(found.driver), ", this build needs ",
               version_text(found.runtime), ": update the driver");
  }
  if (status == cudaErrorNoDevice) return "driver found, no GPU";
  return cat("the GPU cannot be asked: ", cudaGetErrorString(status));
}

}  // namespace

std::string version_text(int version) { return cat(version / 1000, ".", version % 1000 / 10); }

Probe probe() {
  Probe found;
  cudaRuntimeGetVersion(&found.runtime);
  if (cudaDriverGetVersion(&found.driver) != cudaSuccess) found.driver = 0;
  int n_devices = 0;
  cudaError_t status = cudaGetDeviceCount(&n_devices);
  if (status == cudaSuccess && n_devices == 0) status = cudaErrorNoDevice;
  if (status != cudaSuccess) {
    found.problem = problem_of(status, found);
    return found;
  }
  cudaDeviceProp properties{};
  status = cudaGetDeviceProperties(&properties, 0);
  if (status != cudaSuccess) {
    found.problem = problem_of(status, found);
    return found;
  }
  found.name = properties.name;
  found.capability = 10 * properties.major + properties.minor;
  if (found.capability < kLeastCapability) {
    found.problem = cat(found.name, " has compute capability ", properties.major, ".",
                        properties.minor, ", needed is 8.0");
  }
  return found;
}

std::int64_t free_device_bytes() {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "asking for the GPU's memory");
  return static_cast<std::int64_t>(free);
}

}  // namespace qaq::cuda
