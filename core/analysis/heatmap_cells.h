#pragma once

#include <bit>
#include <concepts>
#include <cstdint>

#include "core/analysis/heatmap.h"

namespace qaq {

// What the cells of each type mean, one by one. The loops over lines of cells (heatmap_line.h) say
// the same in a form that becomes vectors.

/// A value, Heatmap::kAbsent or Heatmap::kImpossible.
template <std::unsigned_integral T>
float value_or_code(T cell) {
  return cell == Heatmap::kAbsentCode<T> ? Heatmap::kAbsent : static_cast<float>(cell);
}
inline float value_or_code(float cell) {
  if (std::isfinite(cell) || cell == Heatmap::kImpossible) return cell;
  return Heatmap::kAbsent;
}
inline float value_or_code(Half cell) { return value_or_code(float_from_half(cell.bits)); }

/// Cells of type T on their way to their extreme: a type in which the join of two is one
/// instruction, and none() gives way to every value.
template <class T, Reducer kReducer>
struct Extreme;

template <class T, Reducer kReducer>
struct ExtremeOrder {
  static T join(T a, T b) {
    if constexpr (kReducer == Reducer::min) return a < b ? a : b;
    return a > b ? a : b;
  }
};

template <std::unsigned_integral T, Reducer kReducer>
struct Extreme<T, kReducer> : ExtremeOrder<T, kReducer> {
  using Merged = T;
  static constexpr bool kMax = kReducer != Reducer::min;  // none is below 0
  static constexpr T none() { return kMax ? T{0} : Heatmap::kAbsentCode<T>; }
  // One more, so that the code of absence wraps to none.
  static T of(T cell) { return kMax ? static_cast<T>(cell + 1) : cell; }
  static float value(T merged) { return static_cast<float>(kMax ? merged - 1 : merged); }
};

template <Reducer kReducer>
struct Extreme<float, kReducer> : ExtremeOrder<float, kReducer> {
  using Merged = float;
  static constexpr float none() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    return kReducer == Reducer::max ? -kInfinity : kInfinity;
  }
  static float of(float cell) {
    return std::abs(cell) <= std::numeric_limits<float>::max() ? cell : none();
  }
  static float value(float merged) { return merged; }
};

/// As integers whose order is that of the numbers.
template <Reducer kReducer>
struct Extreme<Half, kReducer> : ExtremeOrder<std::uint16_t, kReducer> {
  using Merged = std::uint16_t;
  static constexpr std::uint16_t none() { return kReducer == Reducer::max ? 0 : 0xffff; }
  static std::uint16_t of(Half cell) {
    const std::uint16_t bits = cell.bits;
    const auto negative = static_cast<std::uint16_t>(-(bits >> 15));  // all ones, or zero
    const auto key = static_cast<std::uint16_t>(bits ^ (negative | 0x8000));
    return (bits & 0x7fff) < 0x7c00 ? key : none();
  }
  static float value(std::uint16_t key) {
    return float_from_half(static_cast<std::uint16_t>(key & 0x8000 ? key ^ 0x8000 : ~key));
  }
};

/// As integers whose order is that of the magnitudes, then of the signs; 0 is none.
template <>
struct Extreme<float, Reducer::farthest> : ExtremeOrder<std::uint32_t, Reducer::farthest> {
  using Merged = std::uint32_t;
  static constexpr std::uint32_t none() { return 0; }
  static std::uint32_t of(float cell) {
    const auto bits = std::bit_cast<std::uint32_t>(cell);
    const std::uint32_t magnitude = bits << 1;
    // -0 is 0, else it would be none.
    const std::uint32_t positive = magnitude == 0 ? 1 : ~bits >> 31;
    return magnitude < 0xff000000 ? magnitude | positive : none();
  }
  static float value(std::uint32_t key) {
    return std::bit_cast<float>(key >> 1 | (~key & 1) << 31);
  }
};

template <>
struct Extreme<Half, Reducer::farthest> : ExtremeOrder<std::uint16_t, Reducer::farthest> {
  using Merged = std::uint16_t;
  static constexpr std::uint16_t none() { return 0; }
  static std::uint16_t of(Half cell) {
    const auto magnitude = static_cast<std::uint16_t>(cell.bits << 1);
    const std::uint16_t positive = magnitude == 0 ? 1 : cell.bits >> 15 ^ 1;
    return magnitude < 0xf800 ? static_cast<std::uint16_t>(magnitude | positive) : none();
  }
  static float value(std::uint16_t key) {
    return float_from_half(static_cast<std::uint16_t>(key >> 1 | (~key & 1) << 15));
  }
};

/// The same for means: the number, and whether it is one.
template <std::unsigned_integral T>
bool counts(T cell) {
  return cell != Heatmap::kAbsentCode<T>;
}
inline bool counts(float cell) { return std::abs(cell) <= std::numeric_limits<float>::max(); }
inline bool counts(Half cell) { return (cell.bits & 0x7fff) < 0x7c00; }

template <std::unsigned_integral T>
float number(T cell) {
  return static_cast<float>(cell);
}
inline float number(float cell) { return cell; }
/// Only of a finite one; without branches, unlike float_from_half().
inline float number(Half cell) {
  const std::uint32_t magnitude = (cell.bits & 0x7fffu) << 13;
  const float size = std::bit_cast<float>(magnitude) * 0x1p112f;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(size) | (cell.bits & 0x8000u) << 16);
}

}  // namespace qaq
