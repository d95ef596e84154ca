#pragma once

#include <cstdint>
#include <span>

#include "core/quant/arith.h"

namespace qaq {

/// The inner loops of quantizing, on the calling thread, vectorized where Highway is there. Numbers
/// are finite. Sums are float64, in sixteen parts that are put together at the end, so that every
/// machine gets the same bytes.

/// Values that are no outliers: how many, from where to where, their sum. Without any, min is
/// infinite and max its negative.
struct InlierExtent {
  std::int64_t count = 0;
  float min = 0;
  float max = 0;
  double sum = 0;
};
/// Outliers are x <= low and x > high.
InlierExtent inlier_extent(std::span<const float> values, float low, float high);
/// True where row_extents() takes rows of this size: whole vectors.
constexpr bool is_row_size(std::int64_t size) { return size > 0 && size % 16 == 0; }
/// Of out.size() units without outliers. The first consists of `rows`, each of `size` values; those
/// of the next follow right behind each.
void row_extents(std::span<const float* const> rows, std::size_t size, std::span<InlierExtent> out);

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

/// How one row is quantized.
struct RowQuantizer {
  UniformGrid grid;
  float low = 0;
  float high = 0;
};
/// out = decode(encode(in)) of each row's grid, outliers (x <= low, x > high) as they are: rows of
/// `length` values that follow each other; `out` is as long as `in` and may be it. `errors`
/// (rows.size()) become the rows' sums of (out - in)^2, whose terms are rounded to float32; null:
/// not asked for.
void quantize_rows(std::span<const RowQuantizer> rows, std::size_t length, const float* in,
                   float* out, double* errors);

}  // namespace qaq
