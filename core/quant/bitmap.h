#pragma once

#include <bit>
#include <cstdint>

namespace qaq {

/// A bit for each of a unit's values: value i is bit i mod 8 of byte i / 8.

inline bool has_bit(const std::uint8_t* bitmap, std::int64_t i) {
  return (bitmap[i / 8] >> (i % 8) & 1) != 0;
}

/// Ones among the first n bits.
inline std::int64_t count_ones(const std::uint8_t* bitmap, std::int64_t n) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n / 8; ++i) count += std::popcount(bitmap[i]);
  for (std::int64_t i = n / 8 * 8; i < n; ++i) count += has_bit(bitmap, i) ? 1 : 0;
  return count;
}

}  // namespace qaq
