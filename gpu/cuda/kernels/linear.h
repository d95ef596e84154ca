#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// out = in weight^T + bias, or out += with `accumulate`. float32 by plain fused multiply-adds, no
/// TF32. Every number of `out` is summed over k in one order that depends on k alone, so that a row
/// is the same bytes whatever the batch.
struct LinearCall {
  const float* in = nullptr;      ///< (n_rows, k)
  const float* weight = nullptr;  ///< (n, k)
  const float* bias = nullptr;    ///< (n), or null
  float* out = nullptr;           ///< (n_rows, n)
  std::int64_t n_rows = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool accumulate = false;
};

/// Queues it. No rows or no outputs: nothing is launched.
cudaError_t linear(const LinearCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
