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
#include "core/tensor/block_decoders.h"
#include "core/tensor/finite_weights.h"

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

// Numbers of two bytes each.
template <class FromBits>
void decode_pairs(std::span<const std::byte> bytes, std::span<float> out, FromBits from_bits) {
  const std::byte* pair = bytes.data();
  for (float& number : out) {
    std::uint16_t bits;
    std::memcpy(&bits, pair, sizeof bits);
    number = from_bits(bits);
    pair += sizeof bits;
  }
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
  switch (type) {
    case WeightType::f32:
      if (n > 0) std::memcpy(out.data(), bytes.data(), bytes.size());
      return;
    case WeightType::f16:
      decode_pairs(bytes, out, float_from_half);
      return;
    case WeightType::bf16:
      decode_pairs(bytes, out, float_from_bf16);
      return;
    default:
      break;
  }
  const BlockDecoder decode = block_decoder(type);
  const std::byte* block = bytes.data();
  for (std::int64_t i = 0; i < n; i += info.block_elements) {
    decode(block, out.data() + i);
    block += info.block_bytes;
  }
}

namespace {

// Calls body(first row, end row) for pieces of some ten thousand numbers, on several threads.
template <class Body>
void for_row_pieces(const WeightView& weight, Body body) {
  const std::int64_t n_rows =
      std::max<std::int64_t>(1, 32768 / std::max<std::int64_t>(1, weight.cols));
  parallel_for((weight.rows + n_rows - 1) / n_rows, [&](std::int64_t piece) {
    body(piece * n_rows, std::min(weight.rows, (piece + 1) * n_rows));
  });
}

std::span<const std::byte> row_of_weight(const WeightView& weight, std::int64_t row) {
  const std::int64_t n = row_bytes(weight.type, weight.cols);
  assert(static_cast<std::int64_t>(weight.bytes.size()) == weight.rows * n);
  return weight.bytes.subspan(static_cast<std::size_t>(row * n), static_cast<std::size_t>(n));
}

[[noreturn]] void refuse_number(const WeightView& weight, std::int64_t row, std::int64_t column) {
  std::vector<float> numbers(static_cast<std::size_t>(weight.cols));
  decode_row(weight.type, row_of_weight(weight, row), numbers);
  const bool nan = std::isnan(numbers[static_cast<std::size_t>(column)]);
  refuse_input(
      {.place = weight.name,
       .what = cat("holds ", nan ? "a NaN" : "an infinity", " at row ", row, ", column ", column),
       .cure = "the model file is damaged or badly converted; get it again"});
}

}  // namespace

void require_finite(const WeightView& weight) {
  const std::int64_t none = weight.rows * weight.cols;
  // The least bad position, so that the message is the same on any number of threads.
  std::atomic<std::int64_t> first_bad{none};
  for_row_pieces(weight, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t row = first; row < end; ++row) {
      const std::int64_t column = first_not_finite(weight.type, row_of_weight(weight, row));
      if (column < 0) continue;
      store_minimum(first_bad, row * weight.cols + column);
      return;
    }
  });
  if (first_bad != none) refuse_number(weight, first_bad / weight.cols, first_bad % weight.cols);
}

void decode_matrix(const WeightView& weight, NdView<float, 2> out) {
  assert(out.shape(0) == weight.rows && out.shape(1) == weight.cols);
  require_finite(weight);
  for_row_pieces(weight, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t row = first; row < end; ++row) {
      decode_row(weight.type, row_of_weight(weight, row), out.sub(row).span());
    }
  });
}

}  // namespace qaq
