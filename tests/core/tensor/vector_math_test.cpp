#include "core/tensor/vector_math.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "tests/core/tensor/random_numbers.h"
#include "tests/support/simd_targets.h"

namespace qaq {
namespace {

using test::random_numbers;
using test::with_each_simd_target;

// Lengths that fill no vector, one and several.
constexpr std::int64_t kLengths[] = {1, 3, 16, 31, 64, 1000};

TEST(VectorMath, SoftmaxSumsToOneAndIsZeroBehindWhatIsSeen) {
  with_each_simd_target([] {
    for (const std::int64_t n : kLengths) {
      auto row = random_numbers(n + 5, 1, 20.0f);
      const auto in = row;
      softmax_row(row, static_cast<std::size_t>(n), 0.125f);
      double most = -1e300, sum = 0;
      for (std::int64_t i = 0; i < n; ++i)
        most = std::max(most, double{in[static_cast<std::size_t>(i)]});
      for (std::int64_t i = 0; i < n; ++i)
        sum += std::exp(0.125 * (in[static_cast<std::size_t>(i)] - most));
      for (std::int64_t i = 0; i < n; ++i) {
        const double expected = std::exp(0.125 * (in[static_cast<std::size_t>(i)] - most)) / sum;
        EXPECT_NEAR(row[static_cast<std::size_t>(i)], expected, 1e-6 * expected)
            << i << " of " << n;
      }
      for (std::int64_t i = n; i < n + 5; ++i) EXPECT_EQ(row[static_cast<std::size_t>(i)], 0.0f);
    }
  });
}

TEST(VectorMath, SoftmaxOfScoresThatAreFarApart) {
  with_each_simd_target([] {
    std::vector<float> row(40, -1000.0f);
    row[17] = 1000.0f;
    softmax_row(row, row.size(), 1.0f);
    for (std::size_t i = 0; i < row.size(); ++i) EXPECT_EQ(row[i], i == 17 ? 1.0f : 0.0f);
  });
}

TEST(VectorMath, RmsNormTellsAWrongEpsilon) {
  with_each_simd_target([] {
    for (const std::int64_t n : kLengths) {
      const auto in = random_numbers(n, 2, 0.01f), weight = random_numbers(n, 3);
      double square = 0;
      for (const float x : in) square += double{x} * x;
      const double factor = 1 / std::sqrt(square / static_cast<double>(n) + 1e-5);
      std::vector<float> out(in.size(), std::nanf(""));
      rms_norm(in, weight.data(), 1e-5, out.data());
      for (std::size_t i = 0; i < out.size(); ++i) {
        const double expected = in[i] * factor * weight[i];
        EXPECT_NEAR(out[i], expected, 3e-7 * std::abs(expected));
      }
      auto in_place = in;
      rms_norm(in_place, weight.data(), 1e-5, in_place.data());
      EXPECT_EQ(in_place, out);
    }
  });
}

// Numbers far from zero beside how far they spread: the mean square alone would lose them.
TEST(VectorMath, LayerNormTakesTheMeanOffFirst) {
  with_each_simd_target([] {
    for (const std::int64_t n : kLengths) {
      auto in = random_numbers(n, 2, 0.01f);
      const auto weight = random_numbers(n, 3), bias = random_numbers(n, 4);
      for (float& x : in) x += 8.0f;
      double sum = 0, square = 0;
      for (const float x : in) sum += x;
      const double mean = sum / static_cast<double>(n);
      for (const float x : in) square += (x - mean) * (x - mean);
      const double factor = 1 / std::sqrt(square / static_cast<double>(n) + 1e-5);
      std::vector<float> out(in.size(), std::nanf(""));
      layer_norm(in, weight.data(), bias.data(), 1e-5, out.data());
      for (std::size_t i = 0; i < out.size(); ++i) {
        const double expected = (in[i] - mean) * factor * weight[i] + bias[i];
        // The mean is a float: half a unit in its last place, 4.8e-7, is off everywhere.
        EXPECT_NEAR(out[i], expected,
                    (5e-7 * factor + 4e-7 * std::abs(in[i] - mean) * factor) * std::abs(weight[i]) +
                        2e-7 * std::abs(expected));
      }
      auto in_place = in;
      layer_norm(in_place, weight.data(), bias.data(), 1e-5, in_place.data());
      EXPECT_EQ(in_place, out);
    }
  });
}

TEST(VectorMath, SwigluFromOneEndOfTheRangeToTheOther) {
  with_each_simd_target([] {
    std::vector<float> gate{-1000.0f, -88.0f, -20.0f, -1.0f, -1e-6f,
                            0.0f,     1e-6f,  1.0f,   20.0f, 1000.0f};
    for (int i = 0; i < 30; ++i) gate.push_back(static_cast<float>(i) * 0.37f - 5.0f);
    const auto in = gate;
    const auto up = random_numbers(static_cast<std::int64_t>(gate.size()), 4);
    swiglu(gate, up.data());
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double expected = in[i] / (1 + std::exp(-double{in[i]})) * up[i];
      EXPECT_NEAR(gate[i], expected, 5e-7 * std::abs(expected) + 1e-30) << in[i];
    }
  });
}

TEST(VectorMath, RotatingTurnsPairsAndKeepsLengths) {
  with_each_simd_target([] {
    for (const std::int64_t n : {1, 8, 12, 32}) {
      auto head = random_numbers(2 * n, 5);
      const auto in = head;
      std::vector<float> cosine, sine;
      for (std::int64_t i = 0; i < n; ++i) {
        cosine.push_back(std::cos(0.1f * static_cast<float>(i + 1)));
        sine.push_back(std::sin(0.1f * static_cast<float>(i + 1)));
      }
      rotate_pairs(head.data(), cosine.data(), sine.data(), n);
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        const std::size_t j = i + static_cast<std::size_t>(n);
        EXPECT_NEAR(head[i], double{in[i]} * cosine[i] - double{in[j]} * sine[i], 5e-7);
        EXPECT_NEAR(head[j], double{in[j]} * cosine[i] + double{in[i]} * sine[i], 5e-7);
        EXPECT_NEAR(std::hypot(head[i], head[j]), std::hypot(in[i], in[j]), 1e-6);
      }
    }
  });
}

TEST(VectorMath, EntropyOfKnownDistributions) {
  with_each_simd_target([] {
    for (const std::int64_t n : kLengths) {
      std::vector<float> uniform(static_cast<std::size_t>(n), 1.0f / static_cast<float>(n));
      EXPECT_NEAR(entropy(uniform), std::log(static_cast<double>(n)), 1e-6);
      std::vector<float> certain(static_cast<std::size_t>(n), 0.0f);
      certain.back() = 1.0f;
      EXPECT_EQ(entropy(certain), 0.0);
    }
  });
}

TEST(VectorMath, SumsMaximaAndBounds) {
  with_each_simd_target([] {
    for (const std::int64_t n : kLengths) {
      auto row = random_numbers(n, 6);
      const auto size = static_cast<std::size_t>(n);
      std::vector<double> sums(size, 0x1p30);
      std::vector<float> maxima(size, 0.25f);
      add_to_sums(row, sums.data());
      raise_to_maxima(row, maxima.data());
      for (std::size_t i = 0; i < size; ++i) {
        EXPECT_EQ(sums[i], 0x1p30 + double{row[i]});
        EXPECT_EQ(maxima[i], std::max(row[i], 0.25f));
      }
      double sum = 0;
      for (const float x : row) sum += std::exp(double{x});
      EXPECT_NEAR(log_sum_exp(row, largest_of(row)), std::log(sum), 1e-6);

      EXPECT_TRUE(all_within(row, 100.0f));
      row.back() = 101.0f;
      EXPECT_FALSE(all_within(row, 100.0f));
      EXPECT_EQ(largest_of(row), 101.0f);
      row.back() = std::numeric_limits<float>::quiet_NaN();
      EXPECT_FALSE(all_within(row, std::numeric_limits<float>::max()));
    }
  });
}

TEST(VectorMath, SquaredDistance) {
  with_each_simd_target([] {
    for (const std::size_t n : {0u, 1u, 7u, 16u, 33u, 1000u}) {
      std::vector<float> a(n), b(n);
      double expected = 0;
      for (std::size_t i = 0; i < n; ++i) {
        a[i] = static_cast<float>(i) * 0.37f;
        b[i] = static_cast<float>(i * i % 91);
        expected += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
      }
      EXPECT_NEAR(squared_distance(a, b), expected, 1e-14 * expected);
    }
    // The difference is taken in float64: float32 would lose it.
    EXPECT_EQ(squared_distance(std::vector<float>{16777216.0f}, std::vector<float>{0.5f}),
              16777215.5 * 16777215.5);
  });
}

}  // namespace
}  // namespace qaq
