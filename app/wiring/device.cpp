#include "app/wiring/device.h"

#include <utility>

#include "core/base/error.h"
#include "core/evaluate/closed_loop.h"
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

std::unique_ptr<PolicyDecoder> make_policy_decoder(const Backend& backend,
                                                   std::shared_ptr<const ModelSource> model,
                                                   const EngineLimits& limits,
                                                   const DecodePolicy& policy, const Work& work) {
  validate(policy);
  if (const std::string device = backend.info().kind; device != "cpu") {
    throw Error(ErrorKind::work, {.place = "--device " + device,
                                  .what = "does not decode on a quantized cache yet",
                                  .cure = "run with --device cpu, or with --policy none"});
  }
  MemoryPlan plan = backend.plan(*model, limits);
  plan.items.push_back({"exact and quantized cache",
                        ClosedLoop::cache_bytes(model->spec().shape, policy, limits.max_tokens)});
  require_memory(plan, limits, backend.info().available_bytes);
  return std::make_unique<ClosedLoop>(backend.open(std::move(model), limits, work), policy);
}

}  // namespace qaq
