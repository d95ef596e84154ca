// The inner loops against the same written out one value at a time, on every vector length that
// this machine has: to the last bit, since all add up in the same order.
#include "core/quant/row_kernels.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

#include "core/quant/row_sums.h"
#include "core/quant/select_ranks.h"
#include "tests/support/simd_targets.h"

namespace qaq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Values = std::vector<float>;

Values random_values(std::size_t n, unsigned seed, bool ties = false) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.5f, 3);
  Values values(n);
  for (float& x : values) x = ties ? std::round(normal(random)) : normal(random);
  return values;
}

template <class Term>
double summed(const Values& values, float low, float high, const Term& term) {
  std::array<double, kRowSums> sums{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] > low && values[i] <= high) sums[i % kRowSums] += term(values[i]);
  }
  return total_of(sums);
}

constexpr std::size_t kLengths[] = {1, 3, 15, 16, 17, 64, 100, 128, 130, 5760};

TEST(RowKernels, ExtentOfInliers) {
  test::with_each_simd_target([] {
    for (const std::size_t n : kLengths) {
      const Values values = random_values(n, static_cast<unsigned>(n));
      for (const auto& [low, high] : {std::pair(-kInfinity, kInfinity), std::pair(-2.0f, 4.0f)}) {
        const InlierExtent got = inlier_extent(values, low, high);
        std::int64_t count = 0;
        float min = kInfinity, max = -kInfinity;
        for (const float x : values) {
          if (x <= low || x > high) continue;
          ++count;
          min = std::min(min, x);
          max = std::max(max, x);
        }
        EXPECT_EQ(got.count, count);
        EXPECT_EQ(got.min, min);
        EXPECT_EQ(got.max, max);
        EXPECT_EQ(got.sum, summed(values, low, high, [](double x) { return x; })) << n;
        EXPECT_EQ(inlier_squares(values, low, high, 0.25),
                  summed(values, low, high, [](double x) { return (x - 0.25) * (x - 0.25); }));
      }
    }
  });
}

TEST(RowKernels, ExtentsOfUnitsInSeveralRows) {
  test::with_each_simd_target([] {
    for (const std::size_t size : {16u, 64u, 128u}) {
      for (const std::size_t n_rows : {1u, 3u, 90u}) {
        constexpr std::size_t kUnits = 5;
        const Values cache = random_values(n_rows * kUnits * size, static_cast<unsigned>(size));
        std::vector<const float*> rows;
        for (std::size_t row = 0; row < n_rows; ++row) {
          rows.push_back(cache.data() + row * kUnits * size);
        }
        std::array<InlierExtent, kUnits> got;
        row_extents(rows, size, got);
        for (std::size_t unit = 0; unit < kUnits; ++unit) {
          Values values;
          for (const float* row : rows) {
            values.insert(values.end(), row + unit * size, row + (unit + 1) * size);
          }
          const InlierExtent wanted = inlier_extent(values, -kInfinity, kInfinity);
          EXPECT_EQ(got[unit].count, wanted.count);
          EXPECT_EQ(got[unit].min, wanted.min);
          EXPECT_EQ(got[unit].max, wanted.max);
          EXPECT_EQ(got[unit].sum, wanted.sum) << n_rows << " rows of " << size;
        }
      }
    }
  });
}

TEST(RowKernels, ThresholdsAreLowInclusiveAndHighStrict) {
  const InlierExtent got = inlier_extent(Values{1, 2, 3, 4}, 1, 3);
  EXPECT_EQ(got.count, 2);
  EXPECT_EQ(got.min, 2);
  EXPECT_EQ(got.max, 3);
  EXPECT_EQ(inlier_extent(Values{1, 2}, 5, 9).count, 0);
}

TEST(RowKernels, ExtremesBesideAValue) {
  test::with_each_simd_target([] {
    for (const std::size_t n : kLengths) {
      const Values values = random_values(n, static_cast<unsigned>(n + 7), true);
      Values sorted = values;
      std::ranges::sort(sorted);
      for (const float at : {-kInfinity, -1.0f, 0.0f, 2.0f, kInfinity}) {
        const auto above = std::ranges::upper_bound(sorted, at);
        const Extreme small = smallest_above(values, at);
        EXPECT_EQ(small.count, above == sorted.end() ? 0 : std::ranges::count(sorted, *above));
        if (small.count > 0) {
          EXPECT_EQ(small.value, *above);
        }
        const auto below = std::ranges::lower_bound(sorted, at);
        const Extreme large = largest_below(values, at);
        EXPECT_EQ(large.count,
                  below == sorted.begin() ? 0 : std::ranges::count(sorted, *(below - 1)));
        if (large.count > 0) {
          EXPECT_EQ(large.value, *(below - 1));
        }
      }
    }
  });
}

TEST(RowKernels, QuantizesAsTheArithmeticOfOneValue) {
  test::with_each_simd_target([] {
    for (const std::size_t n : kLengths) {
      const Values in = random_values(n, static_cast<unsigned>(n + 3));
      for (const int n_bits : {0, 1, 3, 8, 16}) {
        for (const UniformGrid& grid :
             {mean_centred_grid(0.4f, 11.0f, n_bits), midpoint_grid(-5.0f, 11.0f, n_bits),
              minmax_grid(-5.0f, 11.0f, n_bits), mean_centred_grid(0.4f, 0, n_bits)}) {
          for (const auto& [low, high] :
               {std::pair(-4.0f, 6.0f), std::pair(-kInfinity, kInfinity)}) {
            const RowQuantizer row{grid, low, high};
            Values out(n, kNan), unmeasured(n, kNan);
            double error = 0;
            quantize_rows({&row, 1}, n, in.data(), out.data(), &error);
            quantize_rows({&row, 1}, n, in.data(), unmeasured.data(), nullptr);
            EXPECT_EQ(out, unmeasured);
            std::array<double, kRowSums> sums{};
            for (std::size_t i = 0; i < n; ++i) {
              const bool outlier = in[i] <= low || in[i] > high;
              const float expected = outlier ? in[i] : decode(grid, encode(grid, in[i]));
              ASSERT_EQ(out[i], expected) << n << " values, " << n_bits << " bits, " << in[i];
              const double d = static_cast<double>(out[i] - in[i]);
              sums[i % kRowSums] += d * d;
            }
            EXPECT_EQ(error, total_of(sums));
          }
        }
      }
    }
  });
}

// Near an end ranks are found by going inwards; others by buckets.
TEST(SelectRanks, AreThoseOfTheSortedValues) {
  for (const std::size_t n : {2u, 3u, 64u, 128u, 192u, 5760u}) {
    for (const bool ties : {false, true}) {
      Values values = random_values(n, static_cast<unsigned>(n), ties);
      values[0] = -0.0f;
      values[1] = 0.0f;
      Values sorted = values;
      std::ranges::sort(sorted);
      for (const std::int64_t low : {1, 2, 5, 6, 7, 40}) {
        for (const std::int64_t behind : {0, 1, 5, 6, 30}) {
          const std::int64_t high = static_cast<std::int64_t>(n) - behind;
          if (low >= high) continue;
          const RankValues got = select_ranks(values, low, high);
          EXPECT_EQ(got.low, sorted[static_cast<std::size_t>(low - 1)]);
          EXPECT_EQ(got.high, sorted[static_cast<std::size_t>(high - 1)]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace qaq
