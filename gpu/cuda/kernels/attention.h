#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// One layer's attention over the cache: softmax(q k^T / sqrt(D)) v, causal, within a window.
/// float32 by plain fused multiply-adds: the reference mode. Row i is position first_position + i
/// and sees keys max(0, position + 1 - window) to position; window 0: all of them. Query head h
/// reads KV head h / (n_heads / n_kv_heads).
struct AttentionCall {
  const float* query = nullptr;  ///< (n_heads, query_stride, head_dim), after RoPE
  const float* key = nullptr;    ///< (n_kv_heads, cache_stride, head_dim)
  const float* value = nullptr;  ///< (n_kv_heads, cache_stride, head_dim)
  float* out = nullptr;          ///< (n_rows, n_heads * head_dim)
  std::int64_t query_stride = 0;
  std::int64_t cache_stride = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t first_position = 0;
  std::int64_t n_rows = 0;
  std::int64_t window = 0;
};

/// Heads [first_head, first_head + n_heads) and rows [first_row, first_row + n_rows) of a call.
struct AttentionPart {
  std::int64_t first_head = 0;
  std::int64_t n_heads = 0;
  std::int64_t first_row = 0;
  std::int64_t n_rows = 0;
};

/// Queues a part. `scores`, where it is not null, gets part.n_heads slabs of triangle_size(
/// first_position + part.first_row, part.n_rows) numbers (triangle.h): of the row of position p the
/// p + 1 probabilities, zero where the window hides a key, and zeros as padding. `out` is the same
/// bytes with scores and without, and whatever the parts. An empty part: no launch.
cudaError_t attention(const AttentionCall& call, const AttentionPart& part, float* scores,
                      cudaStream_t stream);

}  // namespace qaq::cuda
