#pragma once

#include <cstdint>
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

}  // namespace qaq
