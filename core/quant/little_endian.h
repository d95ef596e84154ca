#pragma once

#include <bit>
#include <cstdint>

#include "core/base/half.h"
#include "core/tensor/dtype.h"

namespace qaq {

/// Whole numbers of 1, 2 or 4 bytes and floating-point numbers as packed caches store them: least
/// significant byte first, whatever the machine.

inline void store_integer(std::uint8_t* to, std::uint32_t value, std::int64_t n_bytes) {
  for (std::int64_t i = 0; i < n_bytes; ++i) to[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

inline std::uint32_t load_integer(const std::uint8_t* from, std::int64_t n_bytes) {
  std::uint32_t value = 0;
  for (std::int64_t i = 0; i < n_bytes; ++i) value |= std::uint32_t{from[i]} << (8 * i);
  return value;
}

/// Exact where the number is one of that type, else rounded to nearest even.
inline void store_number(std::uint8_t* to, float value, DType dtype) {
  const std::uint32_t bits = dtype == DType::f32   ? std::bit_cast<std::uint32_t>(value)
                             : dtype == DType::f16 ? half_from_float(value)
                                                   : bf16_from_float(value);
  store_integer(to, bits, bytes_of(dtype));
}

inline float load_number(const std::uint8_t* from, DType dtype) {
  const std::uint32_t bits = load_integer(from, bytes_of(dtype));
  if (dtype == DType::f32) return std::bit_cast<float>(bits);
  const auto half = static_cast<std::uint16_t>(bits);
  return dtype == DType::f16 ? float_from_half(half) : float_from_bf16(half);
}

}  // namespace qaq
