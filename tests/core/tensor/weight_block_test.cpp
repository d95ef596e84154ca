// Decoding held bit by bit against tests/data/weight_blocks (made by another implementation).
#include "core/tensor/weight_block.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <set>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/tensor/nd_array.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

std::vector<std::byte> bytes_of_hex(const std::string& hex) {
  std::vector<std::byte> out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

WeightType type_named(const std::string& name) {
  for (int type = 0; type <= static_cast<int>(WeightType::iq4_xs); ++type) {
    if (weight_type_info(static_cast<WeightType>(type)).name == name) {
      return static_cast<WeightType>(type);
    }
  }
  throw std::runtime_error("no weight type " + name);
}

std::span<const std::byte> bytes_of(const std::vector<float>& numbers) {
  return std::as_bytes(std::span(numbers));
}

TEST(WeightBlock, DecodesEveryReferenceBlockBitByBit) {
  const auto cases = test::test_data_json("weight_blocks/weight_blocks.json").at("cases");
  std::set<std::string> types;
  for (const auto& reference : cases) {
    SCOPED_TRACE(reference.at("name").get<std::string>());
    const WeightType type = type_named(reference.at("type"));
    const auto bytes = bytes_of_hex(reference.at("bytes_hex"));
    const auto bits = reference.at("float_bits").get<std::vector<std::uint32_t>>();
    ASSERT_EQ(static_cast<std::int64_t>(bytes.size()),
              row_bytes(type, static_cast<std::int64_t>(bits.size())));
    std::vector<float> row(bits.size(), std::numeric_limits<float>::quiet_NaN());
    decode_row(type, bytes, row);
    for (std::size_t i = 0; i < bits.size(); ++i) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(row[i]), bits[i]) << "number " << i;
    }
    types.insert(reference.at("type"));
  }
  EXPECT_EQ(types.size(), 14u) << "every type has its cases";
}

TEST(WeightBlock, BytesMayLieAtAnyAlignment) {
  const auto cases = test::test_data_json("weight_blocks/weight_blocks.json").at("cases");
  for (const auto& reference : cases) {
    const WeightType type = type_named(reference.at("type"));
    auto bytes = bytes_of_hex(reference.at("bytes_hex"));
    const std::size_t n = reference.at("float_bits").size();
    std::vector<float> aligned(n), shifted(n);
    decode_row(type, bytes, aligned);
    bytes.insert(bytes.begin(), std::byte{0x5a});
    decode_row(type, std::span(bytes).subspan(1), shifted);
    EXPECT_EQ(aligned, shifted) << reference.at("name");
  }
}

TEST(WeightBlock, AnEmptyRowIsARow) {
  decode_row(WeightType::q4_1, {}, {});
  EXPECT_EQ(row_bytes(WeightType::q4_1, 0), 0);
}

TEST(DecodeMatrix, GivesEveryRowWhateverTheThreadCount) {
  constexpr std::int64_t kRows = 700, kCols = 96;  // more than one piece of work
  std::vector<std::byte> bytes(
      static_cast<std::size_t>(kRows * row_bytes(WeightType::q8_0, kCols)));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    // Codes count up; the second byte of each scale stays below the exponent of infinity.
    bytes[i] = static_cast<std::byte>(i % 34 == 1 ? i % 97 : i % 251);
  }
  const WeightView weight{"w", WeightType::q8_0, kRows, kCols, bytes};
  NdArray<float, 2> expected({kRows, kCols});
  const auto n = static_cast<std::size_t>(row_bytes(WeightType::q8_0, kCols));
  for (std::int64_t r = 0; r < kRows; ++r) {
    decode_row(WeightType::q8_0, std::span(bytes).subspan(static_cast<std::size_t>(r) * n, n),
               expected.sub(r).span());
  }
  for (const int n_threads : {1, 2, 5}) {
    set_thread_count(n_threads);
    NdArray<float, 2> out({kRows, kCols}, std::numeric_limits<float>::quiet_NaN());
    decode_matrix(weight, out.view());
    EXPECT_TRUE(std::equal(out.span().begin(), out.span().end(), expected.span().begin()))
        << n_threads << " threads";
  }
  set_thread_count(0);
}

std::string refusal_of(const std::vector<float>& numbers, std::int64_t rows, std::int64_t cols) {
  NdArray<float, 2> out({rows, cols});
  try {
    decode_matrix({"blk.0.w", WeightType::f32, rows, cols, bytes_of(numbers)}, out.view());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(error.text().place, "blk.0.w");
    EXPECT_TRUE(error.text().file.empty());
    return error.text().what;
  }
  return "taken";
}

TEST(DecodeMatrix, RefusesTheFirstNumberThatIsNotFinite) {
  constexpr std::int64_t kRows = 4000, kCols = 64;
  std::vector<float> numbers(kRows * kCols, std::numeric_limits<float>::max());
  EXPECT_EQ(refusal_of(numbers, kRows, kCols), "taken");
  numbers[3999 * kCols + 63] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(refusal_of(numbers, kRows, kCols), "holds a NaN at row 3999, column 63");
  numbers[5 * kCols] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(refusal_of(numbers, kRows, kCols), "holds an infinity at row 5, column 0");
}

TEST(RequireFinite, LooksAtTheScalesOfQuantizedTypes) {
  // Of each type, where the halves lie that scale a block.
  const std::vector<std::tuple<WeightType, std::vector<std::size_t>>> scales{
      {WeightType::q8_0, {0}},    {WeightType::q4_0, {0}},    {WeightType::q4_1, {0, 2}},
      {WeightType::q5_0, {0}},    {WeightType::q5_1, {0, 2}}, {WeightType::q3_k, {108}},
      {WeightType::q4_k, {0, 2}}, {WeightType::q5_k, {0, 2}}, {WeightType::q6_k, {208}},
      {WeightType::iq4_nl, {0}},  {WeightType::iq4_xs, {0}}};
  for (const auto& [type, offsets] : scales) {
    const WeightTypeInfo& info = weight_type_info(type);
    SCOPED_TRACE(info.name);
    const std::int64_t cols = 3 * info.block_elements;
    const auto n = static_cast<std::size_t>(row_bytes(type, cols));
    for (const std::size_t offset : offsets) {
      // Codes of all ones are no NaN, and the largest half is finite.
      std::vector<std::byte> bytes(2 * n, std::byte{0xff});
      for (std::size_t block = 0; block < 6; ++block) {
        for (const std::size_t at : offsets) {
          bytes[block * static_cast<std::size_t>(info.block_bytes) + at + 1] = std::byte{0x7b};
        }
      }
      const WeightView weight{"w", type, 2, cols, bytes};
      NdArray<float, 2> out({2, cols});
      decode_matrix(weight, out.view());
      EXPECT_TRUE(std::ranges::all_of(out.span(), [](float x) { return std::isfinite(x); }));
      bytes[n + static_cast<std::size_t>(info.block_bytes) + offset + 1] = std::byte{0x7f};
      try {
        require_finite(weight);
        ADD_FAILURE() << "was taken";
      } catch (const Error& error) {
        EXPECT_EQ(error.text().what,
                  "holds a NaN at row 1, column " + std::to_string(info.block_elements));
      }
    }
  }
}

TEST(RequireFinite, FindsTheFirstOfHalvesAndBfloats) {
  for (const auto& [type, infinity] :
       {std::pair{WeightType::f16, 0x7c00}, std::pair{WeightType::bf16, 0x7f80}}) {
    std::vector<std::uint16_t> row(3000, 0x3c00);
    const WeightView weight{"w", type, 1, 3000, std::as_bytes(std::span(row))};
    EXPECT_NO_THROW(require_finite(weight));
    row[2999] = row[2077] = static_cast<std::uint16_t>(infinity);
    try {
      require_finite(weight);
      ADD_FAILURE() << "was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.text().what, "holds an infinity at row 0, column 2077");
    }
  }
}

}  // namespace
}  // namespace qaq
