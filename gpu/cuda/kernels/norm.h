#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/tensor/dtype.h"

namespace qaq::cuda {

/// RMSNorm row by row: out = in / sqrt(mean(in^2) + epsilon) * weight. float32, the sum of squares
/// in float64, in an order that depends on n_cols alone; rounded once where `dtype` is shorter. A
/// float32 `out` may be `in`.
struct NormCall {
  const float* in = nullptr;      ///< (n_rows, n_cols)
  const float* weight = nullptr;  ///< (n_cols)
  void* out = nullptr;            ///< (n_rows, n_cols) of `dtype`
  std::int64_t n_rows = 0;
  std::int64_t n_cols = 0;
  float epsilon = 0;
  DType dtype = DType::f32;
};

/// Queues it. No rows: nothing is launched.
cudaError_t rms_norm(const NormCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
