#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/nd_array.h"

namespace qaq {

/// One layer as it was captured and as a quantized cache gives it: the prefix's keys and values are
/// dequantized, those behind it exact.
struct LayerCaches {
  NdView<const float, 3> query;      ///< (n_heads, T, D)
  NdView<const float, 3> key;        ///< (n_kv_heads, T, D), quantized
  NdView<const float, 3> value;      ///< (n_kv_heads, T, D), as captured
  NdView<const float, 3> new_value;  ///< (n_kv_heads, T, D), quantized
  std::int64_t prefix = 0;           ///< tokens that were quantized
  std::int64_t window = 0;           ///< keys that a query sees; 0: all
  std::int64_t top_k = 0;  ///< of these, that it attends to in the quantized cache; 0: all
};

/// Errors of R query rows, each (n_heads, R). S are the captured scores, S' those of the captured
/// query on the quantized cache; X = S V, X' = S' V'.
struct RowErrors {
  explicit RowErrors(const Shape<2>& shape)
      : attention(shape), prefix_attention(shape), output(shape) {}
  NdArray<double, 2> attention;         ///< sum over keys of (S' - S)^2
  NdArray<double, 2> prefix_attention;  ///< the same over the keys of the prefix alone
  NdArray<double, 2> output;            ///< mean over channels of (X' - X)^2
};

/// The errors of the rows at `positions`, whose captured scores are `scores` (n_heads, R, T). The
/// queries are those of the exact run, so an error is the layer's own and carries nothing over from
/// other layers. Sums in float64. In parallel over heads and rows.
RowErrors row_errors(const LayerCaches& caches, const NdView<const float, 3>& scores,
                     std::span<const std::int32_t> positions);

/// X = S V of rows at `positions`: (n_heads, R, D). What all quantized caches are compared with.
NdArray<float, 3> row_outputs(const NdView<const float, 3>& value,
                              const NdView<const float, 3>& scores,
                              std::span<const std::int32_t> positions);
/// row_errors() where X is known already; caches.value is not read.
RowErrors row_errors(const LayerCaches& caches, const NdView<const float, 3>& scores,
                     std::span<const std::int32_t> positions, const NdView<const float, 3>& output);

}  // namespace qaq
