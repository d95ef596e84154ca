#include "core/tensor/finite_weights.h"

#include <cstring>

namespace qaq {
namespace {

// Numbers of type Bits whose exponent, the bits of `mask`, is all ones. The flags of many numbers
// are or-ed before one is looked at, which vectorizes as a search does not.
template <class Bits>
std::int64_t first_with_exponent(std::span<const std::byte> row, Bits mask) {
  constexpr std::int64_t kStretch = 1024;
  const auto n = static_cast<std::int64_t>(row.size() / sizeof(Bits));
  const auto bits_at = [&](std::int64_t i) {
    Bits bits;
    std::memcpy(&bits, row.data() + i * static_cast<std::int64_t>(sizeof(Bits)), sizeof bits);
    return bits;
  };
  for (std::int64_t begin = 0; begin < n; begin += kStretch) {
    const std::int64_t end = begin + kStretch < n ? begin + kStretch : n;
    bool any = false;
    for (std::int64_t i = begin; i < end; ++i) any |= (bits_at(i) & mask) == mask;
    if (!any) continue;
    for (std::int64_t i = begin; i < end; ++i) {
      if ((bits_at(i) & mask) == mask) return i;
    }
  }
  return -1;
}

struct ScaleOffsets {
  int scale = 0;
  int minimum = -1;  ///< none
};

ScaleOffsets scale_offsets(WeightType type) {
  switch (type) {
    case WeightType::q4_1:
    case WeightType::q5_1:
    case WeightType::q4_k:
    case WeightType::q5_k:
      return {0, 2};
    case WeightType::q3_k:
      return {108};
    case WeightType::q6_k:
      return {208};
    default:
      return {0};
  }
}

bool is_finite_half(const std::byte* bytes) {
  // Little-endian: the exponent lies in the second byte.
  return (std::to_integer<unsigned>(bytes[1]) & 0x7cu) != 0x7cu;
}

}  // namespace

std::int64_t first_not_finite(WeightType type, std::span<const std::byte> row) {
  if (type == WeightType::f32) return first_with_exponent<std::uint32_t>(row, 0x7f800000u);
  if (type == WeightType::f16) return first_with_exponent<std::uint16_t>(row, 0x7c00u);
  if (type == WeightType::bf16) return first_with_exponent<std::uint16_t>(row, 0x7f80u);
  const WeightTypeInfo& info = weight_type_info(type);
  const ScaleOffsets offsets = scale_offsets(type);
  const auto n_blocks = static_cast<std::int64_t>(row.size()) / info.block_bytes;
  const std::byte* block = row.data();
  for (std::int64_t i = 0; i < n_blocks; ++i, block += info.block_bytes) {
    if (!is_finite_half(block + offsets.scale) ||
        (offsets.minimum >= 0 && !is_finite_half(block + offsets.minimum))) {
      return i * info.block_elements;
    }
  }
  return -1;
}

}  // namespace qaq
