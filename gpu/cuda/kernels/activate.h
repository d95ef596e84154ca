#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/tensor/dtype.h"

namespace qaq::cuda {

/// SwiGLU on n numbers: out = gate / (1 + exp(-gate)) * up. float32, rounded once where `dtype` is
/// shorter. A float32 `out` may be `gate`.
struct ActivateCall {
  const float* gate = nullptr;
  const float* up = nullptr;
  void* out = nullptr;  ///< of `dtype`
  std::int64_t n = 0;
  DType dtype = DType::f32;
};

/// Queues it. No numbers: nothing is launched.
cudaError_t silu_times(const ActivateCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
