#include "core/analysis/difference_map.h"

#include <algorithm>
#include <cmath>

namespace qaq {
namespace {

float difference(float a, float b) {
  if (a == Heatmap::kImpossible || b == Heatmap::kImpossible) return Heatmap::kImpossible;
  if (!Heatmap::is_value(a) || !Heatmap::is_value(b)) return Heatmap::kAbsent;
  return b - a;
}

}  // namespace

Heatmap difference_map(const Heatmap& a, const Heatmap& b) {
  const std::int64_t rows = std::min(a.rows(), b.rows());
  const std::int64_t columns = std::min(a.columns(), b.columns());
  NdArray<float, 2> cells({std::max(a.rows(), b.rows()), std::max(a.columns(), b.columns())},
                          Heatmap::kImpossible);
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      cells(row, column) = difference(a.at(row, column), b.at(row, column));
    }
  }
  return Heatmap(std::move(cells));
}

DifferenceCounts difference_counts(const Heatmap& difference) {
  DifferenceCounts out;
  for (std::int64_t row = 0; row < difference.rows(); ++row) {
    for (std::int64_t column = 0; column < difference.columns(); ++column) {
      const float cell = difference.at(row, column);
      if (!Heatmap::is_value(cell)) continue;
      out.largest = std::max(out.largest, static_cast<double>(std::abs(cell)));
      ++(cell > 0 ? out.higher : cell < 0 ? out.lower : out.equal);
    }
  }
  return out;
}

}  // namespace qaq
