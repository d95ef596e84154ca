#pragma once

#include <algorithm>
#include <cmath>

#include "core/quant/arith.h"
#include "core/quant/quantizer_spec.h"
#include "core/quant/unit_stats.h"

namespace qaq {

/// The steps on which a unit of method uniform lies with n_bits bits.
inline UniformGrid unit_grid(const QuantizerSpec& spec, const UnitStats& stats, int n_bits) {
  const float range = stats.range(spec.symmetric);
  if (spec.range_rule == RangeRule::mean_centred) {
    return mean_centred_grid(spec.symmetric ? 0.0f : stats.mean, range, n_bits);
  }
  const float min =
      spec.symmetric ? -std::max(std::abs(stats.min), std::abs(stats.max)) : stats.min;
  return spec.range_rule == RangeRule::midpoint ? midpoint_grid(min, range, n_bits)
                                                : minmax_grid(min, range, n_bits);
}

}  // namespace qaq
