#pragma once

#include <cstdint>
#include <span>

#include "core/quant/arith.h"

namespace qaq {

/// The inner loops of quantizing, on the calling thread, vectorized where Highway is there. Numbers
/// are finite. Sums are float64, in sixteen parts that are put together at the end, so that every
/// machine gets the same bytes.

/// Values that are no outliers (x <= low or x > high are): how many, from where to where, their
/// sum. Without any, min is infinite and max its negative.
struct InlierExtent {
  std::int64_t count = 0;
  float min = 0;
  float max = 0;
  double sum = 0;
};
InlierExtent inlier_extent(std::span<const float> values, float low, float high);

/// Sum of (x - mean)^2 over the values that are no outliers.
double inlier_squares(std::span<const float> values, float low, float high, double mean);

/// The smallest value above `floor` (the largest below `ceiling`), and how many are equal to it;
/// count 0: there is none.
struct Extreme {
  float value = 0;
  std::int64_t count = 0;
};
Extreme smallest_above(std::span<const float> values, float floor);
Extreme largest_below(std::span<const float> values, float ceiling);

/// out = decode(encode(in)) of the grid, outliers as they are; returns the sum of (out - in)^2,
/// whose terms are rounded to float32. `out` is as long as `in` and may be it.
double quantize_row(const UniformGrid& grid, float low, float high, std::span<const float> in,
                    float* out);

}  // namespace qaq
