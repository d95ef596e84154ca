#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/quant/unit_layout.h"
#include "core/quant/unit_values.h"

namespace qaq {

/// Everything of a unit that its bits and its codes follow from. Outliers are values x <= low or
/// x > high; the rest of the numbers are of the inliers, and 0 where there is none.
struct UnitStats {
  float low = 0;
  float high = 0;
  float min = 0;
  float max = 0;
  float mean = 0;       ///< summed in float64
  float deviation = 0;  ///< sample standard deviation (divisor n_inliers - 1), 0 of a single value;
                        ///< taken for method normal alone, 0 elsewhere
  std::int32_t n_inliers = 0;

  bool is_outlier(float x) const { return x <= low || x > high; }
  /// What the quantizer spans: max - min, or twice the largest magnitude. Saturates at the largest
  /// float.
  float range(bool symmetric) const {
    const float span = symmetric ? 2 * std::max(std::abs(min), std::abs(max)) : max - min;
    return std::min(span, std::numeric_limits<float>::max());
  }
};

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
