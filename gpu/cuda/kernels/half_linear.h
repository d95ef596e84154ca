#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/tensor/dtype.h"

namespace qaq::cuda {

/// Which kernel makes a product: for tests and for sweeps on a GPU.
enum class HalfLinearPath { by_size, few_rows, tile_64, tile_128 };

/// Rows that the kernel for few of them takes.
inline constexpr int kFewHalfRows = 8;

/// out = in weight^T + bias, or out += with `accumulate`. Operands of 16 bits, taken as exact; sums
/// in float32. Every number of `out` is summed over k in an order that depends on k alone: up to 8
/// rows by fused multiply-adds, where a row is the same bytes in a batch of any of these sizes;
/// more rows on the tensor cores, where it is the same bytes in any batch of more than 8.
struct HalfLinearCall {
  const void* in = nullptr;      ///< (n_rows, k) of `dtype`
  const void* weight = nullptr;  ///< (n, k) of `dtype`
  const float* bias = nullptr;   ///< (n), or null
  float* out = nullptr;          ///< (n_rows, n)
  std::int64_t n_rows = 0;
  std::int64_t n = 0;
  std::int64_t k = 0;
  bool accumulate = false;
  DType dtype = DType::f16;  ///< f16 or bf16
  HalfLinearPath path = HalfLinearPath::by_size;
};

/// Queues it. No rows or no outputs: nothing is launched. cudaErrorInvalidValue: operands of 32
/// bits, or few_rows for more than 8.
cudaError_t half_linear(const HalfLinearCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
