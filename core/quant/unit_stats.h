#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/quant/unit_layout.h"
#include "core/quant/unit_numbers.h"
#include "core/quant/unit_values.h"

namespace qaq {

/// Fills `stats` (layout.n_units()) for the units that lie in `layers`, which are layers
/// first_layer, first_layer + 1, ... of the cache. At level token a unit spans all layers, so all
/// are given at once; at the others any run of layers will do. Only the first n_tokens tokens of
/// the layout are read; all numbers are finite. Of the spec its outliers and method count. In
/// parallel over tokens.
void fill_unit_stats(const UnitLayout& layout, const QuantizerSpec& spec, std::int64_t first_layer,
                     std::span<const CacheLayer> layers, std::span<UnitStats> stats);

/// Statistics of one unit's values.
UnitStats stats_of_unit(std::span<const float> values, const QuantizerSpec& spec);

}  // namespace qaq
