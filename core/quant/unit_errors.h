#pragma once

#include <cstdint>
#include <span>

#include "core/quant/arith.h"
#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_stats.h"

namespace qaq {

/// Numbers of bits that a unit can have: 0..kMaxBits.
inline constexpr std::int64_t kBitChoices = kMaxBits + 1;

/// Fills `errors` (layout.n_units(), kBitChoices) for the units that lie in `layers` (as
/// fill_unit_stats() has them): the mean of (x' - x)^2 over a unit's inliers with 0, 1, .. 16 bits,
/// summed in float64; 0 where there is no inlier. For method uniform. In parallel over tokens.
void fill_unit_errors(const UnitLayout& layout, const QuantizerSpec& spec,
                      std::span<const UnitStats> stats, std::int64_t first_layer,
                      std::span<const CacheLayer> layers, std::span<float> errors);

}  // namespace qaq
