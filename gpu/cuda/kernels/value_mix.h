#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "gpu/codec/page.h"

namespace qaq::cuda {

/// Values of a layer as they lie in pages, and those of the tail, weighted by a row of
/// probabilities (softmax_scores()). Keys and values are in pages of the same tokens. Query head h
/// reads KV head h / (n_heads / n_kv_heads).
struct ValueMixCall {
  PagedCache cache;                    ///< of values
  std::int64_t first_list = 0;         ///< the layer's first
  const float* probability = nullptr;  ///< (n_heads, score_stride), by position
  std::int64_t score_stride = 0;
  const void* tail = nullptr;  ///< (n_lists, tail_stride, head_dim) in the cache's type
  std::int64_t tail_stride = 0;
  const CacheLengths* lengths = nullptr;  ///< on the device
  float* workspace = nullptr;             ///< value_mix_workspace() numbers
  float* out = nullptr;                   ///< (n_heads, head_dim), or null
  void* rounded_out = nullptr;            ///< the same in rounded_dtype, or null
  DType rounded_dtype = DType::f16;
  std::int64_t n_heads = 0;
  std::int32_t max_pages = 0;  ///< that a list has now at most; the launch is sized for it
};
std::int64_t value_mix_workspace(const ValueMixCall& call);

/// Queues it: out = probability . values, in an order that depends on the pages and the tail alone.
/// No heads: nothing is launched.
cudaError_t value_mix(const ValueMixCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
