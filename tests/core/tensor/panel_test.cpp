#include "core/tensor/panel.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <span>

#include "core/base/half.h"
#include "tests/core/tensor/random_numbers.h"
#include "tests/support/simd_targets.h"

namespace qaq {
namespace {

using test::random_numbers;
using test::with_each_simd_target;

constexpr float kUntouched = -12345.0f;

// |error| of a float32 sum of k products is at most k 2^-24 times the sum of their magnitudes.
struct Sum {
  double value = 0, magnitude = 0;
  void add(double term) {
    value += term;
    magnitude += std::abs(term);
  }
  double bound(std::int64_t k) const { return static_cast<double>(k + 2) * 0x1p-24 * magnitude; }
};

TEST(Panel, MultipliesTilesOfAnySizeAndTouchesNothingElse) {
  with_each_simd_target([] {
    for (const std::int64_t n_rows : {1, 2, 5, 12, 13, 31}) {
      for (const std::int64_t n_columns : {1, 7, 16, 31, 32}) {
        for (const bool accumulate : {false, true}) {
          const std::int64_t depth = 37, a_stride = 41, c_stride = 50;
          const auto a = random_numbers(n_rows * a_stride, 1);
          const auto panel = random_numbers(depth * kPanelColumns, 2);
          const auto bias = random_numbers(n_columns, 3);
          std::vector<float> c(static_cast<std::size_t>(n_rows * c_stride), kUntouched);
          multiply_panel({.a = a.data(),
                          .a_stride = a_stride,
                          .panel = panel.data(),
                          .n_rows = n_rows,
                          .depth = depth,
                          .c = c.data(),
                          .c_stride = c_stride,
                          .n_columns = n_columns,
                          .bias = bias.data(),
                          .accumulate = accumulate});
          for (std::int64_t i = 0; i < n_rows; ++i) {
            for (std::int64_t j = 0; j < c_stride; ++j) {
              const float ours = c[static_cast<std::size_t>(i * c_stride + j)];
              if (j >= n_columns) {
                ASSERT_EQ(ours, kUntouched) << i << ", " << j;
                continue;
              }
              Sum sum;
              if (accumulate) sum.add(kUntouched);
              sum.add(bias[static_cast<std::size_t>(j)]);
              for (std::int64_t k = 0; k < depth; ++k) {
                sum.add(static_cast<double>(a[static_cast<std::size_t>(i * a_stride + k)]) *
                        panel[static_cast<std::size_t>(k * kPanelColumns + j)]);
              }
              ASSERT_NEAR(ours, sum.value, sum.bound(depth)) << i << ", " << j;
            }
          }
        }
      }
    }
  });
}

// Many small terms beside one large number: added one by one they would vanish.
TEST(Panel, SmallTermsSurviveALargeResidual) {
  with_each_simd_target([] {
    const std::int64_t depth = 1000;
    const std::vector<float> a(static_cast<std::size_t>(depth), 0x1p-10f);
    const std::vector<float> panel(static_cast<std::size_t>(depth * kPanelColumns), 0x1p-10f);
    std::vector<float> c(kPanelColumns, 4096.0f);
    multiply_panel({.a = a.data(),
                    .a_stride = depth,
                    .panel = panel.data(),
                    .n_rows = 1,
                    .depth = depth,
                    .c = c.data(),
                    .c_stride = kPanelColumns,
                    .accumulate = true});
    for (const float x : c) EXPECT_EQ(x, 4096.0f + 1000.0f * 0x1p-20f);
  });
}

TEST(Panel, TransposesAnyNumberOfRowsAndColumns) {
  with_each_simd_target([] {
    for (const std::int64_t n_rows : {1, 3, 4, 17, 32}) {
      for (const std::int64_t n_columns : {1, 4, 6, 33}) {
        const std::int64_t stride = 40;
        const auto rows = random_numbers(n_rows * stride, 4);
        std::vector<float> out(static_cast<std::size_t>(n_columns * kPanelColumns), kUntouched);
        transpose_to_panel(rows.data(), stride, n_rows, n_columns, out.data());
        for (std::int64_t j = 0; j < n_columns; ++j) {
          for (std::int64_t i = 0; i < kPanelColumns; ++i) {
            const float expected =
                i < n_rows ? rows[static_cast<std::size_t>(i * stride + j)] : 0.0f;
            ASSERT_EQ(out[static_cast<std::size_t>(j * kPanelColumns + i)], expected);
          }
        }
      }
    }
  });
}

// Blocks of random bytes, each drawn again until its numbers are finite and leave room for sums.
std::vector<std::byte> random_blocks(const WeightTypeInfo& info, std::int64_t n_blocks) {
  std::mt19937 engine(7);
  const auto n_bytes = static_cast<std::size_t>(info.block_bytes);
  std::vector<std::byte> bytes(static_cast<std::size_t>(n_blocks) * n_bytes);
  std::vector<float> numbers(static_cast<std::size_t>(info.block_elements));
  for (std::size_t at = 0; at < bytes.size(); at += n_bytes) {
    const std::span block(bytes.data() + at, n_bytes);
    do {
      for (std::byte& b : block) b = static_cast<std::byte>(engine() & 0xffu);
      decode_row(info.type, block, numbers);
    } while (!std::ranges::all_of(numbers, [](float x) { return std::abs(x) < 1e30f; }));
  }
  return bytes;
}

std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }

class PanelOfType : public testing::TestWithParam<WeightType> {
 protected:
  // 37 rows; an odd number of groups of 32 and some more columns, where the type allows that.
  PanelOfType()
      : info_(weight_type_info(GetParam())),
        cols_(info_.block_elements == 1    ? 109
              : info_.block_elements == 32 ? 544
                                           : 512),
        bytes_(random_blocks(info_, kRows * cols_ / info_.block_elements)),
        weight_{"w", GetParam(), kRows, cols_, bytes_} {}

  std::vector<float> row(std::int64_t i) const {
    std::vector<float> out(static_cast<std::size_t>(cols_));
    const auto n = static_cast<std::size_t>(row_bytes(GetParam(), cols_));
    decode_row(GetParam(), std::span(bytes_).subspan(static_cast<std::size_t>(i) * n, n), out);
    return out;
  }

  static constexpr std::int64_t kRows = 37;
  const WeightTypeInfo& info_;
  std::int64_t cols_;
  std::vector<std::byte> bytes_;
  WeightView weight_;
};

TEST_P(PanelOfType, DecodesExactlyAsDecodeRow) {
  with_each_simd_target([this] {
    const std::int64_t first_col = info_.block_elements == 1 ? 3 : 256;
    const WeightPart part{5, 30, first_col, cols_ - first_col};
    std::vector<float> panel(static_cast<std::size_t>(part.n_cols * kPanelColumns), kUntouched);
    decode_panel(weight_, part, panel.data());
    for (std::int64_t i = 0; i < part.n_rows; ++i) {
      const auto expected = row(part.first_row + i);
      for (std::int64_t j = 0; j < part.n_cols; ++j) {
        ASSERT_EQ(bits_of(panel[static_cast<std::size_t>(j * kPanelColumns + i)]),
                  bits_of(expected[static_cast<std::size_t>(first_col + j)]))
            << "row " << i << ", column " << j;
      }
    }
  });
}

TEST_P(PanelOfType, MultipliesRowsFromTheirBlocks) {
  with_each_simd_target([this] {
    const auto x = random_numbers(cols_, 9);
    std::vector<float> y(static_cast<std::size_t>(kRows), kUntouched);
    multiply_rows(weight_, 2, kRows - 2, x.data(), y.data());
    for (std::int64_t i = 0; i < kRows - 2; ++i) {
      const auto w = row(i + 2);
      Sum sum;
      for (std::size_t k = 0; k < w.size(); ++k) sum.add(static_cast<double>(w[k]) * x[k]);
      ASSERT_NEAR(y[static_cast<std::size_t>(i)], sum.value, sum.bound(cols_)) << "row " << i;
    }
    EXPECT_EQ(y.back(), kUntouched);
  });
}

INSTANTIATE_TEST_SUITE_P(Every, PanelOfType,
                         testing::Values(WeightType::f32, WeightType::f16, WeightType::bf16,
                                         WeightType::q8_0, WeightType::q4_0, WeightType::q4_1,
                                         WeightType::q5_0, WeightType::q5_1, WeightType::q3_k,
                                         WeightType::q4_k, WeightType::q5_k, WeightType::q6_k,
                                         WeightType::iq4_nl, WeightType::iq4_xs),
                         [](const testing::TestParamInfo<WeightType>& type) {
                           return std::string(weight_type_info(type.param).name);
                         });

}  // namespace
}  // namespace qaq
