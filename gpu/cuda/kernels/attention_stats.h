#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// What a capture keeps of rows of scores that it does not store: entropies, and key by key sums.
struct AttentionStatsCall {
  /// As attention() writes them: n_heads slabs of triangle_size(first_position, n_rows) numbers
  /// (triangle.h), at a multiple of 16 bytes.
  const float* scores = nullptr;
  /// (n_heads, n_rows + first_position + n_rows): of a head the entropy of each row, -sum p log p
  /// over the numbers above zero, nat, not finite where a score is not; then the sum of each key's
  /// scores over the rows, added in float64 and rounded once.
  float* stats = nullptr;
  float* workspace = nullptr;  ///< attention_stats_workspace() numbers
  std::int64_t n_heads = 0;
  std::int64_t first_position = 0;  ///< of the first row
  std::int64_t n_rows = 0;
};

/// Numbers of stats.
inline std::int64_t attention_stats_size(const AttentionStatsCall& call) {
  return call.n_heads * (2 * call.n_rows + call.first_position);
}
/// float32 numbers of workspace that a call takes.
std::int64_t attention_stats_workspace(const AttentionStatsCall& call);

/// Queues it. The order of sums depends on sizes and positions alone. No rows or heads: nothing is
/// launched.
cudaError_t attention_stats(const AttentionStatsCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
