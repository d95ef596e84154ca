#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/analysis/alignment.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// An error of two runs at the same places: steps or layers of the model, in order.
struct PairedErrors {
  std::vector<std::int32_t> at;
  std::vector<double> a, b;
};

/// Means over the layers and query heads of each row that both replayed; of errors
/// (n_layers, n_heads, T_query). Empty where one of the two has none.
PairedErrors errors_by_step(const NdArray<float, 3>& a, const NdArray<float, 3>& b,
                            std::span<const LayerPair> layers, std::span<const RowPair> rows);

/// Means over the KV heads and the first `prefix` tokens of each layer; of errors
/// (n_layers, n_kv_heads, T).
PairedErrors errors_by_layer(const NdArray<float, 3>& a, const NdArray<float, 3>& b,
                             std::span<const LayerPair> layers, std::int64_t prefix);

}  // namespace qaq
