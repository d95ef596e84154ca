// row_kernels.h in plain loops, for builds without Highway.
#include <algorithm>
#include <limits>
#include <vector>

#include "core/quant/row_kernels.h"
#include "core/quant/row_sums.h"

namespace qaq {

InlierExtent inlier_extent(std::span<const float> values, float low, float high) {
  InlierExtent out{.min = std::numeric_limits<float>::infinity(),
                   .max = -std::numeric_limits<float>::infinity()};
  std::array<double, kRowSums> sums{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float x = values[i];
    if (x <= low || x > high) continue;
    ++out.count;
    out.min = std::min(out.min, x);
    out.max = std::max(out.max, x);
    sums[i % kRowSums] += static_cast<double>(x);
  }
  out.sum = total_of(sums);
  return out;
}

double inlier_squares(std::span<const float> values, float low, float high, double mean) {
  std::array<double, kRowSums> sums{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float x = values[i];
    if (x <= low || x > high) continue;
    const double d = static_cast<double>(x) - mean;
    sums[i % kRowSums] += d * d;
  }
  return total_of(sums);
}

Extreme smallest_above(std::span<const float> values, float floor) {
  Extreme out{.value = std::numeric_limits<float>::infinity()};
  for (const float x : values) {
    if (x > floor && x < out.value) out = {x, 0};
    if (x == out.value) ++out.count;
  }
  return out;
}

Extreme largest_below(std::span<const float> values, float ceiling) {
  Extreme out{.value = -std::numeric_limits<float>::infinity()};
  for (const float x : values) {
    if (x < ceiling && x > out.value) out = {x, 0};
    if (x == out.value) ++out.count;
  }
  return out;
}

void row_extents(std::span<const float* const> rows, std::size_t size,
                 std::span<InlierExtent> out) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (std::size_t unit = 0; unit < out.size(); ++unit) {
    std::vector<float> values;
    for (const float* row : rows) {
      values.insert(values.end(), row + unit * size, row + (unit + 1) * size);
    }
    out[unit] = inlier_extent(values, -kInfinity, kInfinity);
  }
}

void quantize_rows(std::span<const RowQuantizer> rows, std::size_t length, const float* in,
                   float* out, double* errors) {
  for (std::size_t row = 0; row < rows.size(); ++row, in += length, out += length) {
    const auto& [grid, low, high] = rows[row];
    std::array<double, kRowSums> sums{};
    for (std::size_t i = 0; i < length; ++i) {
      const float x = in[i];
      const float back = decode(grid, encode(grid, x));
      const float kept = (x <= low) | (x > high) ? x : back;
      const auto d = static_cast<double>(kept - x);
      sums[i % kRowSums] += d * d;
      out[i] = kept;
    }
    if (errors != nullptr) errors[row] = total_of(sums);
  }
}

}  // namespace qaq
