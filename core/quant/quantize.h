#pragma once

#include <cstdint>
#include <span>

#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What quantizing one layer gives, for the first n_tokens tokens; views of any larger token count.
struct QuantizedLayer {
  NdView<float, 3> values;             ///< (n_kv_heads, T, D): what the codes stand for
  NdView<std::uint8_t, 3> outliers{};  ///< (n_kv_heads, T, ceil(D/8)), MSB first, 1: kept exactly;
                                       ///< may be empty: not asked for
  NdView<double, 2> errors{};          ///< (n_kv_heads, T): sum over channels of (x' - x)^2, terms
                                       ///< rounded to float32; may be empty
};

/// Quantizes values of one unit to n_bits by its statistics (as seen from the first of these
/// values, UnitStats::behind()), as quantize_layer() does; `out` is as long as `in` and may be it.
void quantize_values(const QuantizerSpec& spec, const UnitStats& stats, int n_bits,
                     std::span<const float> in, std::span<float> out);

/// Quantizes layer `layer` (its place in the cache) by a plan and the statistics of its units, and
/// gives the values back as they are read again. Outliers come out as they went in. Sections 2.5,
/// 2.6 and 3 of the mathematics: x' = code * scale + base, float32; where a unit has no spread x'
/// is its base. In parallel over tokens.
void quantize_layer(const Plan& plan, std::span<const UnitStats> stats, std::int64_t layer,
                    const CacheLayer& input, const QuantizedLayer& out);

}  // namespace qaq
