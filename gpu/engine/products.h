#pragma once

#include <memory>
#include <string>

#include "core/model/model_spec.h"
#include "gpu/cuda/kernels/half_linear.h"
#include "gpu/device/cublas.h"
#include "gpu/device/stream.h"

namespace qaq::cuda {

/// Who multiplies matrices. Few rows read each weight once, which our kernel does at the memory's
/// rate; of many rows in 16 bits cuBLASLt is faster where it is there; float32 is the reference
/// mode, whose rows are the same bytes in every batch, so it is ours throughout.
class Products {
 public:
  /// Bytes of device memory that cuBLASLt works in.
  static constexpr std::int64_t kWorkspaceBytes = std::int64_t{32} << 20;

  /// `library` may be null; `workspace` has kWorkspaceBytes where it is not.
  Products(std::shared_ptr<CublasLt> library, void* workspace)
      : library_(std::move(library)), workspace_{workspace, library_ ? kWorkspaceBytes : 0} {}

  /// Queues out = in weight^T + bias, or out += (HalfLinearCall, of any dtype).
  void multiply(const HalfLinearCall& call, const Stream& stream);

 private:
  std::shared_ptr<CublasLt> library_;
  CublasWorkspace workspace_;
};

}  // namespace qaq::cuda
