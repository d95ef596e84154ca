#include "core/tensor/block_decoders.h"

#include <cassert>
#include <cstdint>
#include <cstring>

#include "core/base/half.h"

namespace qaq {
namespace {

constexpr int kHalfBlock = 16;  // numbers in either half of a block of 32

template <class T>
T number_at(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

float half_at(const std::byte* bytes) { return float_from_half(number_at<std::uint16_t>(bytes)); }
int byte_at(const std::byte* bytes, int i) { return std::to_integer<int>(bytes[i]); }

void decode_q8_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  for (int i = 0; i < 32; ++i) {
    out[i] = d * static_cast<float>(number_at<std::int8_t>(block + 2 + i));
  }
}

// Number i is the low half of byte i, number i + 16 its high half.
template <class FromCode>
void decode_nibbles(const std::byte* codes, float* out, FromCode from_code) {
  for (int i = 0; i < kHalfBlock; ++i) {
    out[i] = from_code(byte_at(codes, i) & 15);
    out[i + kHalfBlock] = from_code(byte_at(codes, i) >> 4);
  }
}

void decode_q4_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  decode_nibbles(block + 2, out, [d](int q) { return d * static_cast<float>(q - 8); });
}

void decode_q4_1(const std::byte* block, float* out) {
  const float d = half_at(block), m = half_at(block + 2);
  decode_nibbles(block + 4, out, [d, m](int q) { return d * static_cast<float>(q) + m; });
}

void decode_iq4_nl(const std::byte* block, float* out) {
  const float d = half_at(block);
  decode_nibbles(block + 2, out, [d](int q) { return d * static_cast<float>(kIq4Values[q]); });
}

// As decode_nibbles, with bit i of `high` above the four bits of number i.
template <class FromCode>
void decode_five_bits(std::uint32_t high, const std::byte* codes, float* out, FromCode from_code) {
  for (int i = 0; i < kHalfBlock; ++i) {
    const int low_bit = static_cast<int>(high >> i & 1u);
    const int high_bit = static_cast<int>(high >> (i + kHalfBlock) & 1u);
    out[i] = from_code((byte_at(codes, i) & 15) | low_bit << 4);
    out[i + kHalfBlock] = from_code(byte_at(codes, i) >> 4 | high_bit << 4);
  }
}

void decode_q5_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  decode_five_bits(number_at<std::uint32_t>(block + 2), block + 6, out,
                   [d](int q) { return d * static_cast<float>(q - 16); });
}

void decode_q5_1(const std::byte* block, float* out) {
  const float d = half_at(block), m = half_at(block + 2);
  decode_five_bits(number_at<std::uint32_t>(block + 4), block + 8, out,
                   [d, m](int q) { return d * static_cast<float>(q) + m; });
}

// 16 scales of six bits in 12 bytes: the low four bits of scale j in the low (j < 8) or high half
// of byte j % 8, its upper two bits in byte 8 + j % 4.
int q3_k_scale(const std::byte* packed, int j) {
  const int low = byte_at(packed, j % 8) >> (j < 8 ? 0 : 4) & 15;
  const int high = byte_at(packed, 8 + j % 4) >> (2 * (j / 4)) & 3;
  return (low | high << 4) - 32;
}

void decode_q3_k(const std::byte* block, float* out) {
  const std::byte *high_bits = block, *codes = block + 32, *scales = block + 96;
  const float d = half_at(block + 108);
  for (int i = 0; i < 256; ++i) {
    const int group = i / 32, lane = i % 32;  // lane: which byte of 32 holds the number's bits
    const int low = byte_at(codes, group / 4 * 32 + lane) >> (2 * (group % 4)) & 3;
    const int high = byte_at(high_bits, lane) >> group & 1;
    const float scale = d * static_cast<float>(q3_k_scale(scales, i / 16));
    out[i] = scale * static_cast<float>(low - (high ? 0 : 4));
  }
}

struct ScaleAndMinimum {
  int scale = 0;
  int minimum = 0;
};

// 8 scales and 8 minima of six bits in 12 bytes: those of groups 0 to 3 lie in the low six bits of
// bytes 0 to 3 and 4 to 7; of groups 4 to 7 the low four bits are the halves of bytes 8 to 11, the
// upper two bits those above the former.
ScaleAndMinimum scale_and_minimum(const std::byte* packed, int group) {
  if (group < 4) return {byte_at(packed, group) & 63, byte_at(packed, group + 4) & 63};
  const int low = byte_at(packed, group + 4);
  return {(low & 15) | byte_at(packed, group - 4) >> 6 << 4,
          low >> 4 | byte_at(packed, group) >> 6 << 4};
}

// q4_k and q5_k: `code_at(group, lane)` gives the code of number 32 group + lane.
template <class CodeAt>
void decode_with_minima(const std::byte* block, float* out, CodeAt code_at) {
  const float d = half_at(block), d_minimum = half_at(block + 2);
  for (int group = 0; group < 8; ++group) {
    const auto [scale, minimum] = scale_and_minimum(block + 4, group);
    const float step = d * static_cast<float>(scale);
    const float offset = d_minimum * static_cast<float>(minimum);
    for (int lane = 0; lane < 32; ++lane) {
      *out++ = step * static_cast<float>(code_at(group, lane)) - offset;
    }
  }
}

int nibble_of_pair(const std::byte* codes, int group, int lane) {
  return byte_at(codes, group / 2 * 32 + lane) >> (4 * (group % 2)) & 15;
}

void decode_q4_k(const std::byte* block, float* out) {
  const std::byte* codes = block + 16;
  decode_with_minima(block, out,
                     [&](int group, int lane) { return nibble_of_pair(codes, group, lane); });
}

void decode_q5_k(const std::byte* block, float* out) {
  const std::byte *high_bits = block + 16, *codes = block + 48;
  decode_with_minima(block, out, [&](int group, int lane) {
    return nibble_of_pair(codes, group, lane) | (byte_at(high_bits, lane) >> group & 1) << 4;
  });
}

void decode_q6_k(const std::byte* block, float* out) {
  const std::byte *codes = block, *high_bits = block + 128, *scales = block + 192;
  const float d = half_at(block + 208);
  for (int i = 0; i < 256; ++i) {
    const int side = i / 128, quarter = i % 128 / 32, lane = i % 32;
    const int low = byte_at(codes, side * 64 + quarter % 2 * 32 + lane) >> (4 * (quarter / 2)) & 15;
    const int high = byte_at(high_bits, side * 32 + lane) >> (2 * quarter) & 3;
    const float scale = d * static_cast<float>(number_at<std::int8_t>(scales + i / 16));
    out[i] = scale * static_cast<float>((low | high << 4) - 32);
  }
}

void decode_iq4_xs(const std::byte* block, float* out) {
  const float d = half_at(block);
  const auto scales_high = number_at<std::uint16_t>(block + 2);
  const std::byte *scales_low = block + 4, *codes = block + 8;
  for (int group = 0; group < 8; ++group) {
    const int low = byte_at(scales_low, group / 2) >> (4 * (group % 2)) & 15;
    const int high = scales_high >> (2 * group) & 3;
    const float scale = d * static_cast<float>((low | high << 4) - 32);
    decode_nibbles(codes + group * kHalfBlock, out + group * 32,
                   [scale](int q) { return scale * static_cast<float>(kIq4Values[q]); });
  }
}

}  // namespace

BlockDecoder block_decoder(WeightType type) {
  switch (type) {
    case WeightType::f32:
    case WeightType::f16:
    case WeightType::bf16:
      break;
    case WeightType::q8_0:
      return decode_q8_0;
    case WeightType::q4_0:
      return decode_q4_0;
    case WeightType::q4_1:
      return decode_q4_1;
    case WeightType::q5_0:
      return decode_q5_0;
    case WeightType::q5_1:
      return decode_q5_1;
    case WeightType::q3_k:
      return decode_q3_k;
    case WeightType::q4_k:
      return decode_q4_k;
    case WeightType::q5_k:
      return decode_q5_k;
    case WeightType::q6_k:
      return decode_q6_k;
    case WeightType::iq4_nl:
      return decode_iq4_nl;
    case WeightType::iq4_xs:
      return decode_iq4_xs;
  }
  assert(false && "a type of single numbers");
  return nullptr;
}

}  // namespace qaq
