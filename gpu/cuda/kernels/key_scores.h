#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "gpu/codec/page.h"

namespace qaq::cuda {

/// Scores of one query, the newest token's, with the keys of a layer as they lie in pages, and of
/// those in the tail. Query head h reads KV head h / (n_heads / n_kv_heads). The query sees tokens
/// in pages or the tail, and with a window only the newest `window` of them.
struct KeyScoresCall {
  PagedCache cache;             ///< of keys
  std::int64_t first_list = 0;  ///< the layer's first
  const void* query = nullptr;  ///< (n_heads, head_dim), after RoPE
  DType query_dtype = DType::f32;
  const void* tail = nullptr;  ///< (n_lists, tail_stride, head_dim) in the cache's type: tokens
                               ///< from n_packed on, unquantized
  std::int64_t tail_stride = 0;
  const CacheLengths* lengths = nullptr;  ///< on the device
  float* scores = nullptr;                ///< (n_heads, score_stride), by position
  std::int64_t score_stride = 0;
  std::int64_t n_heads = 0;
  std::int64_t window = 0;     ///< 0: none
  std::int32_t max_pages = 0;  ///< that a list has now at most; the launch is sized for it
};

/// Queues scores = q k / sqrt(D) where the query sees; other numbers are not touched. No heads:
/// nothing is launched.
cudaError_t key_scores(const KeyScoresCall& call, cudaStream_t stream);

/// Queues scores = softmax(scores) in place, over positions in one order; 0 where the query does
/// not see, up to n_tokens.
cudaError_t softmax_scores(const KeyScoresCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
