#include "core/quant/block_codec.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/quant/little_endian.h"

namespace qaq {
namespace {

constexpr std::size_t kBlock = 32;  // channels

// The bits of a number's magnitude are ordered as the magnitudes are; their maximum is found
// without a branch.
std::uint32_t magnitude(float x) { return std::bit_cast<std::uint32_t>(x) & 0x7fffffffu; }

std::uint32_t largest_magnitude_of(const float* x) {
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < kBlock; ++i) most = std::max(most, magnitude(x[i]));
  return most;
}

// A block whose d is so small that 1/d overflows is one of zeros.
float inverse(float d) {
  const float inverse = d == 0.0f ? 0.0f : 1.0f / d;
  return std::isinf(inverse) ? 0.0f : inverse;
}

void store_scale(float d, std::uint8_t* to) {
  constexpr float kLargest = 65504.0f;
  store_number(to, std::clamp(d, -kLargest, kLargest), DType::f16);
}

void encode_q8_0(const float* x, std::uint8_t* to) {
  const float d = std::bit_cast<float>(largest_magnitude_of(x)) / 127.0f;
  const float factor = inverse(d);
  store_scale(d, to);
  for (std::size_t i = 0; i < kBlock; ++i) {
    const float steps = x[i] * factor;
    const float size = std::bit_cast<float>(magnitude(steps));
    // Adding a half would round 0.49999997 up; what is left behind the point is exact.
    const auto whole = static_cast<std::int32_t>(size);
    const std::int32_t code = whole + (size - static_cast<float>(whole) >= 0.5f ? 1 : 0);
    to[2 + i] = static_cast<std::uint8_t>(steps < 0 ? -code : code);
  }
}

void encode_q4_0(const float* x, std::uint8_t* to) {
  const std::uint32_t most = largest_magnitude_of(x);
  const float* const first =
      std::find_if(x, x + kBlock, [&](float y) { return magnitude(y) == most; });
  const float d = *first / -8.0f;
  const float factor = inverse(d);
  store_scale(d, to);
  std::array<std::int32_t, kBlock> codes;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const auto code = static_cast<std::int32_t>(x[i] * factor + 8.5f);
    codes[i] = std::min(code, 15);
  }
  for (std::size_t i = 0; i < kBlock / 2; ++i) {
    to[2 + i] = static_cast<std::uint8_t>(codes[i] | codes[i + kBlock / 2] << 4);
  }
}

}  // namespace

void require_blocks(WeightType type, std::int64_t head_dim) {
  assert(type == WeightType::q8_0 || type == WeightType::q4_0);
  const auto block = static_cast<std::int64_t>(kBlock);
  if (head_dim > 0 && head_dim % block == 0) return;
  const std::string_view name = weight_type_info(type).name;
  refuse_usage({.place = "cache_type",
                .what = cat(name, " needs a head_dim in blocks of ", block, ", not ", head_dim),
                .cure = "choose f16, or a policy without blocks"});
}

void encode_blocks(WeightType type, std::span<const float> row, std::span<std::byte> blocks) {
  const auto size = static_cast<std::size_t>(weight_type_info(type).block_bytes);
  assert(row.size() % kBlock == 0 && blocks.size() == row.size() / kBlock * size);
  auto* to = reinterpret_cast<std::uint8_t*>(blocks.data());
  for (std::size_t at = 0; at < row.size(); at += kBlock, to += size) {
    if (type == WeightType::q8_0) {
      encode_q8_0(row.data() + at, to);
    } else {
      encode_q4_0(row.data() + at, to);
    }
  }
}

void quantize_blocks(WeightType type, const CacheLayer& input, TokenSpan tokens,
                     const NdView<float, 3>& out) {
  require_blocks(type, input.shape(2));
  constexpr std::int64_t kTogether = 16;
  const std::int64_t n_tiles = (tokens.size() + kTogether - 1) / kTogether;
  parallel_for(input.shape(0) * n_tiles, [&](std::int64_t i) {
    const std::int64_t head = i / n_tiles, first = tokens.first + i % n_tiles * kTogether;
    // Rows of a head follow each other.
    const auto n = static_cast<std::size_t>((std::min(tokens.end, first + kTogether) - first) *
                                            input.shape(2));
    std::vector<std::byte> blocks(
        static_cast<std::size_t>(row_bytes(type, static_cast<std::int64_t>(n))));
    encode_blocks(type, {input.sub(head, first).data(), n}, blocks);
    decode_row(type, blocks, {out.sub(head, first).data(), n});
  });
}

PackedBytes block_bytes(WeightType type, const CacheShape& shape) {
  require_blocks(type, shape.head_dim);
  const std::int64_t n_blocks = shape.n_values() / static_cast<std::int64_t>(kBlock);
  const std::int64_t scale = bytes_of(DType::f16);
  return {.payload = n_blocks * (weight_type_info(type).block_bytes - scale),
          .scales = n_blocks * scale};
}

}  // namespace qaq
