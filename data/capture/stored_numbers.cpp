#include "data/capture/stored_numbers.h"

#include <bit>
#include <cmath>
#include <limits>

#include "core/base/half.h"
#include "core/tensor/vector_math.h"

namespace qaq {

float largest_storable(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return std::numeric_limits<float>::max();
    case DType::f16:
      return std::nextafter(65520.0f, 0.0f);  // 65520 is half-way to the next: 2^16
    case DType::bf16:
      return std::bit_cast<float>(0x7f7f7fffu);
  }
  return 0;
}

std::size_t first_beyond(std::span<const float> values, float limit) {
  // Nearly all blocks pass.
  constexpr std::size_t kBlock = 1024;
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    const std::size_t end = std::min(values.size(), begin + kBlock);
    if (all_within(values.subspan(begin, end - begin), limit)) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (!(std::abs(values[i]) <= limit)) return i;
    }
  }
  return values.size();
}

std::vector<std::byte> encoded(std::span<const float> values, DType dtype) {
  std::vector<std::byte> bytes(values.size() * static_cast<std::size_t>(bytes_of(dtype)));
  store_as(values, dtype, bytes.data());
  return bytes;
}

void decode(std::span<const std::uint16_t> bits, DType dtype, std::span<float> out) {
  for (std::size_t i = 0; i < bits.size(); ++i) {
    out[i] = dtype == DType::f16 ? float_from_half(bits[i]) : float_from_bf16(bits[i]);
  }
}

}  // namespace qaq
