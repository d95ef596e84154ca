#include "gpu/backend.h"

#include <mutex>

#include "core/base/error.h"
#include "core/base/text.h"
#include "gpu/codec/cuda_decoder.h"
#include "gpu/device/cublas.h"
#include "gpu/engine/cuda_ops.h"
#include "gpu/engine/device_plan.h"
#include "gpu/replay/cuda_replay.h"

namespace qaq {
namespace {

// Opened once, however many of what runs on a GPU are there; gone with the last. Null: not found.
std::shared_ptr<cuda::CublasLt> open_library() {
  static std::mutex mutex;
  static std::weak_ptr<cuda::CublasLt> opened;
  const std::scoped_lock lock(mutex);
  std::shared_ptr<cuda::CublasLt> library = opened.lock();
  if (!library) {
    std::string why_not;
    library = cuda::CublasLt::open(why_not);
    opened = library;
  }
  return library;
}

class CudaBackend : public Backend {
 public:
  explicit CudaBackend(cuda::Probe probe) : probe_(std::move(probe)), library_(open_library()) {}

  DeviceInfo info() const override {
    return {"cuda", probe_.name,
            cat("CUDA ", cuda::version_text(probe_.driver), " driver, ",
                cuda::version_text(probe_.runtime), " runtime, ",
                library_ ? cat("cuBLASLt ", library_->version()) : "own matrix products"),
            cuda::free_device_bytes()};
  }
  MemoryPlan plan(const ModelSource& model, const EngineLimits& limits) const override {
    return cuda::plan_device_memory(model.spec(), limits);
  }
  std::unique_ptr<Engine> open(std::shared_ptr<const ModelSource> model, const EngineLimits& limits,
                               const Work& work) const override {
    cuda::require_device_memory(model->spec(), limits, cuda::free_device_bytes());
    auto ops = std::make_unique<cuda::CudaOps>(model->spec(), limits, library_);
    return std::make_unique<Engine>(std::move(model), std::move(ops), limits, work);
  }

 private:
  cuda::Probe probe_;
  std::shared_ptr<cuda::CublasLt> library_;
};

cuda::Probe require_gpu() {
  cuda::Probe found = cuda::probe();
  if (!found.problem.empty()) {
    throw Error(
        ErrorKind::work,
        {.place = "--device cuda", .what = found.problem, .cure = "or run with --device cpu"});
  }
  return found;
}

}  // namespace

std::unique_ptr<Backend> make_cuda_backend() {
  return std::make_unique<CudaBackend>(require_gpu());
}

OpenReplay make_cuda_replay() {
  require_gpu();
  return cuda::open_replay;
}

std::unique_ptr<PolicyDecoder> make_cuda_decoder(std::shared_ptr<const ModelSource> model,
                                                 const EngineLimits& limits,
                                                 const DecodePolicy& policy, const Work& work) {
  require_gpu();
  return std::make_unique<cuda::CudaDecoder>(std::move(model), limits, policy, open_library(),
                                             work);
}

}  // namespace qaq
