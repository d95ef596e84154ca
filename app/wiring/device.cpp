#include "app/wiring/device.h"

#include "core/base/error.h"
#ifdef QAQ_USE_CUDA
#include "gpu/backend.h"
#endif

namespace qaq {

bool has_cuda_backend() {
#ifdef QAQ_USE_CUDA
  return true;
#else
  return false;
#endif
}

std::unique_ptr<Backend> make_backend(const std::string& device) {
  if (device == "cpu") return make_cpu_backend();
#ifdef QAQ_USE_CUDA
  return make_cuda_backend();
#else
  throw Error(ErrorKind::work, {.place = "--device " + device,
                                .what = "this build has no CUDA backend",
                                .cure = "build where nvcc is found, or run with --device cpu"});
#endif
}

}  // namespace qaq
