#pragma once

#include <cstdint>
#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// core's GqaReduce and ImportanceRule, in their order, without the machinery of parameters.
enum class HeadReduce { max, mean, sum };
enum class ImportanceKind { window_max, ema, decayed_max, accumulated };

/// Where rows of scores stand.
struct ImportanceStep {
  std::int64_t position = 0;   ///< of the first row that a launch takes
  std::int64_t first_row = 0;  ///< of all that there were; 0 but for window_max
};

/// The importance of every token to every KV head after some more rows of attention, in order: what
/// core's RunningImportance gives after it was pushed the same rows, bit for bit. Row `position`
/// scores tokens 0 to position. One layer, or some KV heads, may be taken by themselves.
struct ImportanceCall {
  /// As attention() writes them: of each layer n_heads slabs of triangle_size(position, n_rows)
  /// numbers (triangle.h), layers score_stride numbers apart.
  const float* scores = nullptr;
  float* importance = nullptr;  ///< (n_layers, n_kv_heads, stride); of tokens 0 to the newest row
  /// (n_layers, n_kv_heads, n_ring, stride), of window_max: row s lies at s % n_ring. Need not be
  /// set before the first row.
  float* ring = nullptr;
  double* state = nullptr;  ///< (n_layers, n_kv_heads, stride), of the other rules; the same
  std::int64_t score_stride = 0;
  /// One row a launch: numbers from head to head, where they are not those of a slab. 0: they are.
  std::int64_t head_stride = 0;
  std::int64_t stride = 0;
  std::int64_t n_layers = 0;
  std::int64_t n_heads = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t n_rows = 0;
  HeadReduce reduce = HeadReduce::max;
  ImportanceKind kind = ImportanceKind::window_max;
  double beta = 0;          ///< of ema and decayed_max
  std::int64_t n_ring = 1;  ///< rows that window_max is the largest of
  ImportanceStep step = {};
  const ImportanceStep* step_on_device = nullptr;  ///< read in place of `step`, or null
  std::int64_t max_tokens = 0;  ///< position + n_rows never exceeds it: the launch is for so many
};

/// Queues it. No rows: nothing is launched.
cudaError_t importance(const ImportanceCall& call, cudaStream_t stream);

}  // namespace qaq::cuda
