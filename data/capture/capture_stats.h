#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "core/engine/tap.h"
#include "core/model/model_spec.h"
#include "core/tensor/dtype.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Statistics of a run, gathered as its taps pass. Rows of one layer and head arrive in order.
class CaptureStats {
 public:
  static constexpr std::int64_t kImportanceRows = 5;

  /// Of `n_layers` captured layers and at most `max_tokens` tokens. Without `with_attention` there
  /// is no importance and no entropy.
  CaptureStats(const ModelShape& shape, std::int64_t n_layers, std::int64_t max_tokens,
               bool with_attention);

  void add_query(std::int64_t layer_index, const TapBlock& block);
  void add_key(std::int64_t layer_index, const TapBlock& block);
  void add_value(std::int64_t layer_index, const TapBlock& block);
  /// Whether all scores that a row sees are finite; they are looked at while they are summed.
  bool add_attention(std::int64_t layer_index, const TapBlock& block);
  /// The same of rows that only their statistics are known of; none of the last kImportanceRows.
  bool add_attention_stats(std::int64_t layer_index, const TapBlock& block);

  /// Sum over channels of Q^2, (n_layers, n_heads, T).
  NdArray<float, 3> query_norm2(std::int64_t n_tokens) const;
  /// Maximum of each key column over the last kImportanceRows rows and the group's query heads,
  /// (n_layers, n_kv_heads, T).
  NdArray<float, 3> importance_window(std::int64_t n_tokens) const;
  /// Sum over all rows and the group's query heads, (n_layers, n_kv_heads, T).
  NdArray<float, 3> importance_sum(std::int64_t n_tokens) const;
  /// Of each query's row, nat, (n_layers, n_heads, T).
  NdArray<float, 3> entropy(std::int64_t n_tokens) const;
  /// Minimum and maximum of each channel as stored in `dtype`, (n_layers, n_kv_heads, D, 2).
  NdArray<float, 4> key_range(DType dtype) const;
  NdArray<float, 4> value_range(DType dtype) const;

 private:
  struct RowPlace {
    std::int64_t layer_index, kv_head, position;
  };
  void add_importance(const RowPlace& place, std::span<const float> seen, bool recent);

  std::int64_t group_size_;
  NdArray<float, 3> query_norm2_;
  NdArray<float, 3> entropy_;
  NdArray<double, 3> importance_sum_;
  /// The newest rows, reduced over the group: row s in slot s mod kImportanceRows,
  /// (n_layers, n_kv_heads, kImportanceRows, max_tokens), and the s of each slot.
  NdArray<float, 4> recent_;
  NdArray<std::int64_t, 3> recent_row_;
  NdArray<float, 4> key_range_;
  NdArray<float, 4> value_range_;
};

}  // namespace qaq
