#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/quant/arith.h"

namespace qaq {

/// Everything of a unit that its bits and its codes follow from. Outliers are values x <= low or
/// x > high, and of those that are as far out as the last one kept (x <= tied_low or x > tied_high)
/// the ones up to place last_tied; the rest of the numbers are of the inliers, and 0 where there is
/// none.
struct UnitStats {
  float low = 0;
  float high = 0;
  float min = 0;
  float max = 0;
  float mean = 0;       ///< summed in float64
  float deviation = 0;  ///< sample standard deviation (divisor n_inliers - 1), 0 of a single value;
                        ///< taken for method normal alone, 0 elsewhere
  std::int32_t n_inliers = 0;
  // Rule nsigma where more values lie beyond its limit than are kept, and equal ones are divided:
  std::int32_t last_tied = -1;  ///< place in the unit; below 0: none is divided
  float tied_low = 0;
  float tied_high = 0;

  /// Without ties. NaN is one: no code stands for it.
  QAQ_HD bool is_outlier(float x) const { return !(x > low) || x > high; }
  /// The value at that place of the unit.
  QAQ_HD bool is_outlier(float x, std::int64_t place) const {
    return is_outlier(x) || (place <= last_tied && (x <= tied_low || x > tied_high));
  }
  QAQ_HD bool has_ties() const { return last_tied >= 0; }
  /// The same for the unit's values from place `first` on, places counted from there.
  QAQ_HD UnitStats behind(std::int64_t first) const {
    UnitStats out = *this;
    out.last_tied = static_cast<std::int32_t>(std::max<std::int64_t>(last_tied - first, -1));
    return out;
  }
  /// What the quantizer spans: max - min, or twice the largest magnitude. Saturates at the largest
  /// float.
  QAQ_HD float range(bool symmetric) const {
    const float span = symmetric ? 2 * std::max(std::abs(min), std::abs(max)) : max - min;
    return std::min(span, std::numeric_limits<float>::max());
  }
};

}  // namespace qaq
