#include "core/tensor/weight_block.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/base/error.h"
#include "core/base/half.h"
#include "core/base/parallel.h"
#include "core/base/text.h"

namespace qaq {
namespace {

// Blocks are read as they lie in the file.
static_assert(std::endian::native == std::endian::little);

constexpr std::array<WeightTypeInfo, 14> kTypes{{
    {WeightType::f32, "f32", 1, 4},
    {WeightType::f16, "f16", 1, 2},
    {WeightType::bf16, "bf16", 1, 2},
    {WeightType::q8_0, "q8_0", 32, 34},
    {WeightType::q4_0, "q4_0", 32, 18},
    {WeightType::q4_1, "q4_1", 32, 20},
    {WeightType::q5_0, "q5_0", 32, 22},
    {WeightType::q5_1, "q5_1", 32, 24},
    {WeightType::q3_k, "q3_k", 256, 110},
    {WeightType::q4_k, "q4_k", 256, 144},
    {WeightType::q5_k, "q5_k", 256, 176},
    {WeightType::q6_k, "q6_k", 256, 210},
    {WeightType::iq4_nl, "iq4_nl", 32, 18},
    {WeightType::iq4_xs, "iq4_xs", 256, 136},
}};

constexpr std::int64_t kBlock = 32;  // numbers of a block of the quantized types

std::uint16_t u16_at(const std::byte* bytes) {
  std::uint16_t value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

float half_at(const std::byte* bytes) { return float_from_half(u16_at(bytes)); }

void decode_q8_0(const std::byte* block, float* out) {
  const float d = half_at(block);
  std::array<std::int8_t, kBlock> codes;
  std::memcpy(codes.data(), block + 2, codes.size());
  for (const std::int8_t q : codes) *out++ = d * static_cast<float>(q);
}

// Number i is the low half of byte i, number i + 16 its high half.
template <class FromCode>
void decode_nibbles(const std::byte* codes, float* out, FromCode from_code) {
  for (int i = 0; i < kBlock / 2; ++i) {
    const int byte = std::to_integer<int>(codes[i]);
    out[i] = from_code(byte & 15);
    out[i + kBlock / 2] = from_code(byte >> 4);
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

// Position of the first number that is not finite, or -1.
std::int64_t first_not_finite(std::span<const float> row) {
  // An exponent of all ones; or-ing the flags vectorizes, a search does not.
  bool any = false;
  for (const float x : row) any |= (std::bit_cast<std::uint32_t>(x) & 0x7f800000u) == 0x7f800000u;
  if (!any) return -1;
  const auto bad =
      std::find_if_not(row.begin(), row.end(), [](float x) { return std::isfinite(x); });
  return bad - row.begin();
}

void store_minimum(std::atomic<std::int64_t>& least, std::int64_t value) {
  std::int64_t seen = least;
  while (value < seen && !least.compare_exchange_weak(seen, value)) {
  }
}

}  // namespace

const WeightTypeInfo& weight_type_info(WeightType type) {
  return kTypes[static_cast<std::size_t>(type)];
}

std::int64_t row_bytes(WeightType type, std::int64_t n) {
  const WeightTypeInfo& info = weight_type_info(type);
  assert(n % info.block_elements == 0);
  return n / info.block_elements * info.block_bytes;
}

void decode_row(WeightType type, std::span<const std::byte> bytes, std::span<float> out) {
  const WeightTypeInfo& info = weight_type_info(type);
  const auto n = static_cast<std::int64_t>(out.size());
  assert(static_cast<std::int64_t>(bytes.size()) == row_bytes(type, n));
  if (type == WeightType::f32) {
    if (n > 0) std::memcpy(out.data(), bytes.data(), bytes.size());
    return;
  }
  const std::byte* block = bytes.data();
  float* to = out.data();
  for (std::int64_t i = 0; i < n; i += info.block_elements) {
    switch (type) {
      case WeightType::f32:
        break;
      case WeightType::f16:
        *to = half_at(block);
        break;
      case WeightType::bf16:
        *to = float_from_bf16(u16_at(block));
        break;
      case WeightType::q8_0:
        decode_q8_0(block, to);
        break;
      case WeightType::q4_0:
        decode_q4_0(block, to);
        break;
      case WeightType::q4_1:
        decode_q4_1(block, to);
        break;
      default:
        assert(false && "not decoded yet");
    }
    block += info.block_bytes;
    to += info.block_elements;
  }
}

namespace {

// Calls row_of(r), which gives the numbers of row r, for every row on several threads, and refuses
// the first number that is not finite.
template <class RowOf>
void for_finite_rows(const WeightView& weight, RowOf row_of) {
  // A piece of work is some ten thousand numbers.
  const std::int64_t n_rows =
      std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(1, weight.cols));
  const std::int64_t n_pieces = (weight.rows + n_rows - 1) / n_rows;
  const std::int64_t none = weight.rows * weight.cols;
  // The least bad position, so that the message is the same on any number of threads.
  std::atomic<std::int64_t> first_bad{none};
  parallel_for(n_pieces, [&](std::int64_t piece) {
    std::vector<float> scratch;
    for (std::int64_t r = piece * n_rows; r < std::min(weight.rows, (piece + 1) * n_rows); ++r) {
      const std::int64_t column = first_not_finite(row_of(r, scratch));
      if (column >= 0) store_minimum(first_bad, r * weight.cols + column);
    }
  });
  if (first_bad == none) return;
  const std::int64_t row = first_bad / weight.cols, column = first_bad % weight.cols;
  std::vector<float> scratch;
  const float bad = row_of(row, scratch)[static_cast<std::size_t>(column)];
  refuse_input({.place = weight.name,
                .what = cat("holds ", std::isnan(bad) ? "a NaN" : "an infinity", " at row ", row,
                            ", column ", column),
                .cure = "the model file is damaged or badly converted; get it again"});
}

std::span<const std::byte> row_of_weight(const WeightView& weight, std::int64_t row) {
  const std::int64_t n = row_bytes(weight.type, weight.cols);
  assert(static_cast<std::int64_t>(weight.bytes.size()) == weight.rows * n);
  return weight.bytes.subspan(static_cast<std::size_t>(row * n), static_cast<std::size_t>(n));
}

}  // namespace

void require_finite(const WeightView& weight) {
  for_finite_rows(weight, [&](std::int64_t row, std::vector<float>& scratch) {
    scratch.resize(static_cast<std::size_t>(weight.cols));
    decode_row(weight.type, row_of_weight(weight, row), scratch);
    return std::span<const float>(scratch);
  });
}

void decode_matrix(const WeightView& weight, NdView<float, 2> out) {
  assert(out.shape(0) == weight.rows && out.shape(1) == weight.cols);
  for_finite_rows(weight, [&](std::int64_t row, std::vector<float>&) {
    decode_row(weight.type, row_of_weight(weight, row), out.sub(row).span());
    return std::span<const float>(out.sub(row).span());
  });
}

}  // namespace qaq
