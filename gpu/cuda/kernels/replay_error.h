#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// What is left of a row's logits x: its score of a key is exp((x - largest) / sqrt(D)) * factor.
struct RowSoftmax {
  float largest;
  float factor;
};

/// A layer's caches as a plan keeps them, (n_kv_heads, n_tokens, stride) each.
struct KeptCaches {
  const float* key = nullptr;
  const float* value = nullptr;
};

constexpr int kMaxReplayPlans = 16;

/// Rows of one layer replayed: the score S of each key and the output X = S V as captured, and what
/// they become on the caches of some plans, whose errors are as core's row_errors() has them.
/// float32 products, sums of scores and of squares in float64.
struct ReplayCall {
  const float* query = nullptr;             ///< (n_heads, n_rows, stride), zero behind head_dim
  const std::int32_t* positions = nullptr;  ///< (n_rows), ascending
  /// S, (n_heads, n_rows, n_tokens); null: it follows from queries and keys.
  const float* scores = nullptr;
  KeptCaches exact = {};  ///< as captured

  RowSoftmax* softmax = nullptr;  ///< (n_heads, n_rows), of the exact scores; not with `scores`
  float* output = nullptr;        ///< X, (n_heads, n_rows, stride)

  KeptCaches plans[kMaxReplayPlans] = {};
  double* attention = nullptr;         ///< (n_plans, n_heads, n_rows): sums of (S' - S)^2 over keys
  double* prefix_attention = nullptr;  ///< the same over the keys of the prefix alone
  double* output_error = nullptr;      ///< the same shape: means over channels of (X' - X)^2

  std::int64_t n_plans = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t n_rows = 0;
  std::int64_t n_tokens = 0;
  std::int64_t head_dim = 0;
  std::int64_t stride = 0;  ///< a multiple of 4
  std::int64_t prefix = 0;
  std::int64_t window = 0;  ///< keys that a row sees; 0: all
};

/// Queues what is the same for all plans: `softmax` and `output`. No rows: nothing is launched.
cudaError_t replay_exact(const ReplayCall& call, cudaStream_t stream);
/// Queues the plans' errors. No rows, no plans: nothing is launched. Both: cudaErrorInvalidValue
/// for more than 256 channels, kMaxReplayPlans plans or 2^30 tokens.
cudaError_t replay_error(const ReplayCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
