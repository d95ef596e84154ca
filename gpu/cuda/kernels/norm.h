#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// RMSNorm row by row: out = in / sqrt(mean(in^2) + epsilon) * weight. float32, the sum of squares
/// in float64, in an order that depends on n_cols alone. `out` may be `in`.
struct NormCall {
  const float* in = nullptr;      ///< (n_rows, n_cols)
  const float* weight = nullptr;  ///< (n_cols)
  float* out = nullptr;           ///< (n_rows, n_cols)
  std::int64_t n_rows = 0;
  std::int64_t n_cols = 0;
  float epsilon = 0;
};

/// Queues it. No rows: nothing is launched.
cudaError_t rms_norm(const NormCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
