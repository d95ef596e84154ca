#pragma once

#include <array>
#include <cstddef>

namespace qaq {

/// Sixteen partial sums put together, always in this order. Element i of a row belongs to sum
/// i mod 16.
inline constexpr std::size_t kRowSums = 16;
inline double total_of(std::array<double, kRowSums>& sums) {
  for (std::size_t n = kRowSums / 2; n > 0; n /= 2) {
    for (std::size_t i = 0; i < n; ++i) sums[i] += sums[i + n];
  }
  return sums[0];
}

}  // namespace qaq
