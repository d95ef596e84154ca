#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "core/base/half.h"

namespace qaq {

/// Number types of activations and captures.
enum class DType { f32, f16, bf16 };

inline std::int64_t bytes_of(DType dtype) { return dtype == DType::f32 ? 4 : 2; }
inline std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f16:
      return "f16";
    case DType::bf16:
      return "bf16";
  }
  return "";
}

/// The value that a number has after it was stored as `dtype`: to nearest, ties to even; infinite
/// where it is too large.
inline float rounded(float value, DType dtype) {
  switch (dtype) {
    case DType::f32:
      return value;
    case DType::f16:
      return float_from_half(half_from_float(value));
    case DType::bf16:
      return float_from_bf16(bf16_from_float(value));
  }
  return value;
}

/// Numbers rounded to `dtype`, as they lie in memory and in files: values.size() * bytes_of(dtype)
/// bytes. `to` may be where the values lie.
inline void store_as(std::span<const float> values, DType dtype, std::byte* to) {
  if (dtype == DType::f32) {
    std::memmove(to, values.data(), values.size_bytes());
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t bits =
        dtype == DType::f16 ? half_from_float(values[i]) : bf16_from_float(values[i]);
    std::memcpy(to + 2 * i, &bits, sizeof bits);
  }
}

}  // namespace qaq
