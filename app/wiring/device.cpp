#include "app/wiring/device.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/evaluate/closed_loop.h"
#include "core/replay/cpu_replay.h"
#ifdef QAQ_USE_CUDA
#include "gpu/backend.h"
#endif

namespace qaq {
namespace {

#ifndef QAQ_USE_CUDA
[[noreturn]] void refuse_device(const std::string& device) {
  throw Error(ErrorKind::work, {.place = "--device " + device,
                                .what = "this build has no CUDA backend",
                                .cure = "build where nvcc is found, or run with --device cpu"});
}
#endif

}  // namespace

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
  refuse_device(device);
#endif
}

std::unique_ptr<PolicyDecoder> make_policy_decoder(const Backend& backend,
                                                   std::shared_ptr<const ModelSource> model,
                                                   const EngineLimits& limits,
                                                   const DecodePolicy& policy, const Work& work) {
  validate(policy);
#ifdef QAQ_USE_CUDA
  if (backend.info().kind == "cuda") {
    return make_cuda_decoder(std::move(model), limits, policy, work);
  }
#endif
  MemoryPlan plan = backend.plan(*model, limits);
  plan.items.push_back({"exact and quantized cache",
                        ClosedLoop::cache_bytes(model->spec().shape, policy, limits.max_tokens)});
  require_memory(plan, limits, backend.info().available_bytes);
  return std::make_unique<ClosedLoop>(backend.open(std::move(model), limits, work), policy);
}

OpenReplay make_replay(const std::string& device) {
  if (device == "cpu") return open_cpu_replay;
#ifdef QAQ_USE_CUDA
  return make_cuda_replay();
#else
  refuse_device(device);
#endif
}

void add_device(nlohmann::ordered_json& record, const DeviceInfo& device) {
  record["device"] = device.name;
  record["backend"] = device.kind;
  if (!device.driver.empty()) record["driver"] = device.driver;
}

void add_replay_device(nlohmann::ordered_json& record, const std::string& device) {
  if (device != "cpu") add_device(record, make_backend(device)->info());
}

}  // namespace qaq
