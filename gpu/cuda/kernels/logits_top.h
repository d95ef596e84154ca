#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// The most logits of a row that logits_top keeps.
constexpr std::int64_t kMostTopLogits = 128;

/// What a capture keeps of rows of logits, as core's summarize_logits(): the same ids and logits,
/// bit for bit; logsumexp summed in float64, in an order that depends on vocab_size alone. With k'
/// = min(k, vocab_size).
struct LogitsTopCall {
  const float* logits = nullptr;   ///< (n_rows, vocab_size)
  std::int32_t* argmax = nullptr;  ///< (n_rows); of equals the lower id
  float* argmax_logit = nullptr;   ///< (n_rows)
  float* logsumexp = nullptr;      ///< (n_rows), nat
  /// (n_rows, k'); descending logits, of equals the lower id first
  std::int32_t* topk_ids = nullptr;
  float* topk_logits = nullptr;  ///< (n_rows, k')
  /// Gets the place in `logits` of the first number that is NaN or +infinity, where that is smaller
  /// than what is there; or null. What else is said of such a row means nothing.
  std::int64_t* first_bad = nullptr;
  /// Numbers from one row's results to the next one's, the same in all arrays, which may then lie
  /// in one. 0: each array by itself.
  std::int64_t row_stride = 0;
  std::int64_t n_rows = 0;
  std::int64_t vocab_size = 0;
  std::int64_t k = 0;  ///< at most kMostTopLogits
};

/// Queues it. No rows, or rows of nothing: nothing is launched.
cudaError_t logits_top(const LogitsTopCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
