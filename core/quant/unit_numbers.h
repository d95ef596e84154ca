#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/quant/arith.h"

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

  /// NaN is one: no code stands for it.
  QAQ_HD bool is_outlier(float x) const { return !(x > low) || x > high; }
  /// What the quantizer spans: max - min, or twice the largest magnitude. Saturates at the largest
  /// float.
  QAQ_HD float range(bool symmetric) const {
    const float span = symmetric ? 2 * std::max(std::abs(min), std::abs(max)) : max - min;
    return std::min(span, std::numeric_limits<float>::max());
  }
};

}  // namespace qaq
