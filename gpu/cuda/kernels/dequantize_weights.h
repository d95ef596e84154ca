#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/tensor/dtype.h"
#include "core/tensor/weight_block.h"

namespace qaq::cuda {

/// What `bad` holds before a call that shall find something: larger than any index.
inline constexpr unsigned long long kNoneBad = ~0ull;

/// Weights as stored (core/tensor/weight_block.h) to numbers of `dtype`: core's float32 value of
/// each, bit for bit, rounded once, to nearest, ties to even.
struct DequantizeCall {
  const void* blocks = nullptr;  ///< rows of whole blocks, at a multiple of 2 bytes
  WeightType type = WeightType::f32;
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  void* out = nullptr;  ///< (rows, cols)
  DType dtype = DType::f16;
  /// On the device: becomes the least index (row cols + column) of a number that is NaN or infinite
  /// in `out`, and stays where it is smaller. What is too large for `dtype` counts.
  unsigned long long* bad = nullptr;
  std::int64_t first_index = 0;  ///< of the first number, where these rows are part of a weight
};

/// Queues it. No numbers: nothing is launched. cudaErrorInvalidValue: rows that are no whole number
/// of blocks, or a misaligned address.
cudaError_t dequantize_weights(const DequantizeCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
