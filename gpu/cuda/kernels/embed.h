#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/tensor/dtype.h"

namespace qaq::cuda {

/// out[i] = table[ids[i]], widened to float32.
struct EmbedCall {
  const void* table = nullptr;        ///< (vocab_size, n_cols) of `dtype`
  const std::int32_t* ids = nullptr;  ///< (n_rows), each a row of the table
  float* out = nullptr;               ///< (n_rows, n_cols)
  std::int64_t n_rows = 0;
  std::int64_t n_cols = 0;
  DType dtype = DType::f32;
};

/// Queues it. No rows: nothing is launched.
cudaError_t embed(const EmbedCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
