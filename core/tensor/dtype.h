#pragma once

#include <cstdint>
#include <string_view>

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

}  // namespace qaq
