#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace qaq {

/// Softmax of scale * row[0 .. n_visible) in place, zero behind it. float32 with the sum in
/// float64. `n_visible` is at least 1. The one definition that the engine and every replay use.
inline void softmax_row(std::span<float> row, std::size_t n_visible, float scale) {
  float largest = row[0];
  for (std::size_t i = 1; i < n_visible; ++i) largest = std::max(largest, row[i]);
  double sum = 0;
  for (std::size_t i = 0; i < n_visible; ++i) {
    row[i] = std::exp((row[i] - largest) * scale);
    sum += row[i];
  }
  const auto factor = static_cast<float>(1.0 / sum);
  for (std::size_t i = 0; i < n_visible; ++i) row[i] *= factor;
  std::fill(row.begin() + static_cast<std::ptrdiff_t>(n_visible), row.end(), 0.0f);
}

}  // namespace qaq
