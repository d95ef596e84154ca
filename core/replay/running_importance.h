#pragma once

#include <cstdint>
#include <vector>

#include "core/policy/qaq_params.h"
#include "core/replay/streaming_params.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// The importance I_s[t] of each token to each KV head while rows of attention come in, one a step
/// (section 5 of the mathematics), where S_s[t] is what `reduce` makes of the KV head's query
/// heads:
///
///   window_max   max of S_i[t] over the last n_rows rows
///   ema          beta I_{s-1}[t] + (1 - beta) S_s[t], from I_t[t] = S_t[t] on
///   decayed_max  max(S_s[t], beta I_{s-1}[t])
///   accumulated  sum of S_i[t] over all rows
///
/// None is above all others: where scores fall slowly, ema lies above decayed_max. window_max keeps
/// its rows; the others one float64 a token and KV head, and are owed every row from token 0 on.
class RunningImportance {
 public:
  struct Options {
    ImportanceRule rule = ImportanceRule::window_max;
    double beta = 0.8;
    std::int64_t n_rows = 1;  ///< of window_max
    GqaReduce reduce = GqaReduce::max;
  };
  /// `shape` is (n_layers, n_kv_heads, T).
  RunningImportance(const Options& options, const Shape<3>& shape);

  /// Row `position` of a layer: (n_heads, 1, at least position + 1). Rows of a layer come in order;
  /// layers may come on several threads.
  void push(std::int64_t layer, std::int64_t position, const NdView<const float, 3>& row);
  /// (n_layers, n_kv_heads, n_tokens) as of the newest row; valid until the next call.
  NdView<const float, 3> of_first(std::int64_t n_tokens);

 private:
  Options options_;
  Shape<3> shape_;
  std::vector<NdArray<float, 3>> window_;  // by layer: (n_rows, n_kv_heads, T), row s at s % n_rows
  NdArray<double, 3> state_;               // (n_layers, n_kv_heads, T) of the other rules
  std::vector<float> shown_;
};

}  // namespace qaq
