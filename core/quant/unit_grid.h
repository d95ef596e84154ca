#pragma once

#include <algorithm>
#include <cmath>

#include "core/base/half.h"
#include "core/quant/arith.h"
#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_numbers.h"

namespace qaq {

/// `x` as a unit's scale or base is stored. What float16 cannot hold becomes its largest number.
QAQ_HD inline float stored_scale(StoreScale type, float x) {
  if (type == StoreScale::f32) return x;
  constexpr float kLargest = 65504.0f;
  return float_from_half(half_from_float(std::clamp(x, -kLargest, kLargest)));
}

/// The steps on which a unit of method uniform lies with n_bits bits, as the range rule has them:
/// before scale and base are rounded.
QAQ_HD inline UniformGrid exact_unit_grid(const QuantizerSpec& spec, const UnitStats& stats,
                                          int n_bits) {
  const float range = stats.range(spec.symmetric);
  if (spec.range_rule == RangeRule::mean_centred) {
    return mean_centred_grid(spec.symmetric ? 0.0f : stats.mean, range, n_bits);
  }
  const float min =
      spec.symmetric ? -std::max(std::abs(stats.min), std::abs(stats.max)) : stats.min;
  return spec.range_rule == RangeRule::midpoint ? midpoint_grid(min, range, n_bits)
                                                : minmax_grid(min, range, n_bits);
}

/// Where a symmetric grid from its smallest value on begins: it stores no base, which follows from
/// the scale.
QAQ_HD inline float symmetric_base(const UniformGrid& grid) {
  return -grid.scale * (grid.highest + 2 * grid.offset) / 2;
}

/// The steps on which a unit of method uniform lies with n_bits bits.
QAQ_HD inline UniformGrid unit_grid(const QuantizerSpec& spec, const UnitStats& stats, int n_bits) {
  UniformGrid grid = exact_unit_grid(spec, stats, n_bits);
  if (spec.store_scale == StoreScale::f32) return grid;
  if (n_bits == 0 || grid.highest == grid.lowest) {
    // One constant is all that is stored.
    return {.base = stored_scale(spec.store_scale, decode(grid, grid.lowest))};
  }
  grid.scale = stored_scale(spec.store_scale, grid.scale);
  if (!(grid.scale > 0.0f)) {
    return {.base = spec.symmetric ? 0.0f : stored_scale(spec.store_scale, stats.mean)};
  }
  if (!spec.symmetric) {
    grid.base = stored_scale(spec.store_scale, grid.base);
  } else if (spec.range_rule != RangeRule::mean_centred) {
    grid.base = symmetric_base(grid);
  }
  return grid;
}

/// The distance between the codes of a unit of method uniform; 0 where it has no spread.
QAQ_HD inline float unit_step(const QuantizerSpec& spec, const UnitStats& stats, int n_bits) {
  const bool ends = spec.range_rule == RangeRule::minmax && n_bits > 0;
  return stats.range(spec.symmetric) / static_cast<float>((1 << n_bits) - (ends ? 1 : 0));
}

}  // namespace qaq
