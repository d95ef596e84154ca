#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/tensor/dtype.h"

namespace qaq::cuda {

/// Query, key and value of some rows of a run: norms where there are any (RMSNorm over head_dim),
/// then half-split RoPE on the first n_rotary channels, into heads and into the cache. float32, and
/// rounded once, to what the cache holds.
///
/// Pair i of a rotated vector is channels i and i + n_rotary / 2:
///   a' = a cos - b sin,  b' = b cos + a sin
struct RotateCall {
  const float* query = nullptr;       ///< (n_rows, n_heads * head_dim)
  const float* key = nullptr;         ///< (n_rows, n_kv_heads * head_dim)
  const float* value = nullptr;       ///< (n_rows, n_kv_heads * head_dim)
  const float* query_norm = nullptr;  ///< (head_dim), or null
  const float* key_norm = nullptr;    ///< (head_dim), or null
  float epsilon = 0;                  ///< of the norms
  const float* cos = nullptr;         ///< (n_rows, n_rotary / 2), of these rows
  const float* sin = nullptr;         ///< the same
  std::int64_t n_rows = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t n_rotary = 0;  ///< even, at most head_dim

  DType dtype = DType::f32;       ///< of what is written
  void* query_heads = nullptr;    ///< row 0 of head 0 of (n_heads, query_stride, head_dim)
  std::int64_t query_stride = 0;  ///< rows between two heads
  void* key_cache = nullptr;      ///< row 0 of head 0 of (n_kv_heads, cache_stride, head_dim)
  void* value_cache = nullptr;    ///< the same
  std::int64_t cache_stride = 0;  ///< rows between two heads
  /// On the device: how many rows behind the caches' row 0 the first is written. Null: none.
  const std::int64_t* position = nullptr;
};

/// Queues it. No rows: nothing is launched.
cudaError_t rotate_append(const RotateCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
