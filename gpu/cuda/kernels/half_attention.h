#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

#include "core/tensor/dtype.h"
#include "gpu/cuda/kernels/attention.h"

namespace qaq::cuda {

/// As AttentionCall, over a cache of 16-bit numbers: products on the tensor cores, sums, softmax
/// and scores in float32, the result rounded once.
struct HalfAttentionCall {
  const void* query = nullptr;  ///< (n_heads, query_stride, head_dim) of `dtype`, after RoPE
  const void* key = nullptr;    ///< (n_kv_heads, cache_stride, head_dim) of `dtype`
  const void* value = nullptr;  ///< (n_kv_heads, cache_stride, head_dim) of `dtype`
  void* out = nullptr;          ///< (n_rows, n_heads * head_dim) of `dtype`
  /// half_attention_workspace() numbers at a multiple of 16 bytes. Free again when the call's work
  /// on its stream is done.
  float* workspace = nullptr;
  /// On the device, or null. Where it is not null kernels take it for first_position, so that a
  /// graph can be played again at another place.
  const std::int64_t* position = nullptr;
  DType dtype = DType::f16;  ///< f16 or bf16
  std::int64_t query_stride = 0;
  std::int64_t cache_stride = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t head_dim = 0;  ///< up to 256; multiples of 8 are fast
  std::int64_t first_position = 0;
  std::int64_t n_rows = 0;
  std::int64_t window = 0;
  std::int64_t max_keys = 0;  ///< with `position`: *position + n_rows is never more
};

/// Calls of so many rows go to attention_decode, longer ones to attention_prefill.
inline constexpr std::int64_t kDecodeRows = 8;

/// float32 numbers of workspace that a call takes, whatever its parts. 0 for a prefill.
std::int64_t half_attention_workspace(const HalfAttentionCall& call);

/// Queues a part; `scores`, at a multiple of 16 bytes, as for attention(). A row of `out` and of
/// scores is the same bytes whatever the part, with scores and without, and in every call of up to
/// kDecodeRows rows, or in every longer one. A value that one row of the call sees must be finite,
/// for the others multiply it by zero. cudaErrorInvalidValue: sizes that do not fit, numbers of 32
/// bits, or no workspace where one is needed.
cudaError_t half_attention(const HalfAttentionCall& call, const AttentionPart& part, float* scores,
                           cudaStream_t stream);

/// The two ways: of up to kDecodeRows rows, and of any number.
cudaError_t attention_decode(const HalfAttentionCall& call, const AttentionPart& part,
                             float* scores, cudaStream_t stream);
cudaError_t attention_prefill(const HalfAttentionCall& call, const AttentionPart& part,
                              float* scores, cudaStream_t stream);

}  // namespace qaq::cuda
