#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/policy/importance_rule.h"
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
/// its rows, an adaptive one n_max of them; the others one float64 a token and KV head. Where
/// options follow all rows, they are owed every row from token 0 on.
class RunningImportance {
 public:
  using Options = ImportanceOptions;
  /// `shape` is (n_layers, n_kv_heads, T).
  RunningImportance(const Options& options, const Shape<3>& shape);

  /// Rows of a layer, (n_heads, n_rows, at least T): those of positions `position` to position +
  /// n_rows - 1. Rows of a layer come in order; layers may come on several threads.
  void push(std::int64_t layer, std::int64_t position, const NdView<const float, 3>& rows);
  /// Row `row` of them alone, which is that of `position`.
  void push_row(std::int64_t layer, std::int64_t position, const NdView<const float, 3>& rows,
                std::int64_t row);
  /// (n_layers, n_kv_heads, n_tokens) as of the newest row; valid until the next call.
  NdView<const float, 3> of_first(std::int64_t n_tokens);
  /// (n_layers, n_kv_heads): rows of the adaptive windows as of the newest row; empty without them.
  NdView<const float, 2> windows() const { return windows_.view(); }
  /// Takes up to `n_tokens` tokens from now on.
  void make_room(std::int64_t n_tokens);

 private:
  // An adaptive window beside its length.
  struct Watch {
    double mean = 0;           // smoothed share of violations
    std::int64_t n_quiet = 0;  // successive steps below `lo`
  };

  std::int64_t n_ring() const;
  void take(std::int64_t layer, std::int64_t head, std::int64_t position,
            std::span<const float> scores);
  void adapt(std::int64_t layer, std::int64_t head, std::int64_t position,
             std::span<const float> scores);
  double violation_rate(std::int64_t layer, std::int64_t head, std::int64_t position,
                        std::span<const float> scores, std::int64_t n) const;

  Options options_;
  Shape<3> shape_;
  std::vector<NdArray<float, 3>> ring_;  // by layer: (rows, n_kv_heads, T), row s at s % rows
  std::vector<std::int64_t> newest_;     // by layer: position of the newest row
  NdArray<float, 2> windows_;            // (n_layers, n_kv_heads) of adaptive windows
  std::vector<Watch> watches_;           // the same
  NdArray<double, 3> state_;             // (n_layers, n_kv_heads, T) of the other rules
  std::vector<float> shown_;
};

}  // namespace qaq
