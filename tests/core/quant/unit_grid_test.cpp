// Where codes lie in a unit's range: cases by hand, and what each rule promises of its errors.
#include "core/quant/unit_grid.h"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

#include "core/base/half.h"
#include "core/quant/unit_stats.h"

namespace qaq {
namespace {

constexpr std::array kRules{RangeRule::mean_centred, RangeRule::midpoint, RangeRule::minmax};

UnitStats stats_of(std::vector<float> values) { return stats_of_unit(values, {}); }

QuantizerSpec spec_of(RangeRule rule, bool symmetric = false) {
  return {.range_rule = rule, .symmetric = symmetric};
}

std::vector<float> quantized(const QuantizerSpec& spec, const std::vector<float>& values,
                             int n_bits) {
  const UniformGrid grid = unit_grid(spec, stats_of(values), n_bits);
  std::vector<float> out;
  for (const float x : values) out.push_back(decode(grid, encode(grid, x)));
  return out;
}

using Floats = std::vector<float>;

TEST(UnitGrid, MidpointByHand) {
  const Floats eight{0, 1, 2, 3, 4, 5, 6, 7};
  const auto rule = spec_of(RangeRule::midpoint);
  // Segments of 1.75 from 0: middles .875, 2.625, 4.375, 6.125. The largest value, on the upper
  // edge, belongs to the last.
  EXPECT_EQ(quantized(rule, eight, 2),
            (Floats{.875, .875, 2.625, 2.625, 4.375, 4.375, 6.125, 6.125}));
  EXPECT_EQ(quantized(rule, eight, 1), (Floats{1.75, 1.75, 1.75, 1.75, 5.25, 5.25, 5.25, 5.25}));
  EXPECT_EQ(quantized(rule, eight, 0), Floats(8, 3.5)) << "the middle, not the mean";
  EXPECT_EQ(quantized(rule, {0, 0, 0, 8}, 0), Floats(4, 4));
  EXPECT_EQ(quantized(rule, {-1, 3}, 2), (Floats{-.5, 2.5}));
}

TEST(UnitGrid, MinmaxByHand) {
  const Floats eight{0, 1, 2, 3, 4, 5, 6, 7};
  const auto rule = spec_of(RangeRule::minmax);
  EXPECT_EQ(quantized(rule, eight, 3), eight) << "eight codes, one for each";
  EXPECT_EQ(quantized(rule, eight, 1), (Floats{0, 0, 0, 0, 7, 7, 7, 7}));
  EXPECT_EQ(quantized(rule, eight, 0), Floats(8, 3.5)) << "as midpoint";
  // Steps of 2: halves go to the even code.
  EXPECT_EQ(quantized(rule, {0, 1, 3, 5, 6}, 2), (Floats{0, 0, 4, 4, 6}));
}

TEST(UnitGrid, SymmetricLiesAroundZero) {
  const Floats values{-1, 0.5, 4};
  EXPECT_EQ(quantized(spec_of(RangeRule::midpoint, true), values, 2), (Floats{-1, 1, 3}));
  EXPECT_EQ(quantized(spec_of(RangeRule::minmax, true), values, 1), (Floats{-4, 4, 4}));
  EXPECT_EQ(quantized(spec_of(RangeRule::mean_centred, true), values, 2), (Floats{0, 0, 2}));
}

TEST(UnitGrid, WithoutARangeTheValueComesBack) {
  for (const RangeRule rule : kRules) {
    for (const int n_bits : {0, 1, 8, 16}) {
      EXPECT_EQ(quantized(spec_of(rule), {2.5, 2.5}, n_bits), (Floats{2.5, 2.5}));
      EXPECT_EQ(quantized(spec_of(rule, true), {0, 0}, n_bits), (Floats{0, 0}));
    }
  }
}

// Values of a skewed unit, reproducible everywhere.
Floats skewed(std::uint32_t seed, std::size_t n) {
  std::mt19937 engine(seed);
  Floats values(n);
  for (float& x : values) {
    const float u = static_cast<float>(engine()) / 4294967296.0f;
    x = std::exp(4 * u) - 7;
  }
  return values;
}

double largest_error(const Floats& a, const Floats& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(double{a[i]} - b[i]));
  }
  return largest;
}

TEST(UnitGrid, MidpointAndMinmaxErrByHalfAStepAtMost) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    const Floats values = skewed(seed, 64);
    const double range = stats_of(values).range(false);
    for (int n_bits = 0; n_bits <= 16; ++n_bits) {
      // Beside the half step, what float32 leaves of sums near the largest magnitude.
      const double rounding = 48 * 3e-7;
      for (const bool symmetric : {false, true}) {
        const double span = symmetric ? stats_of(values).range(true) : range;
        const double steps = std::ldexp(1.0, n_bits);
        EXPECT_LE(largest_error(quantized(spec_of(RangeRule::midpoint, symmetric), values, n_bits),
                                values),
                  span / steps / 2 + rounding)
            << seed << ", " << n_bits;
        EXPECT_LE(
            largest_error(quantized(spec_of(RangeRule::minmax, symmetric), values, n_bits), values),
            span / std::max(1.0, steps - 1) / 2 + rounding)
            << seed << ", " << n_bits;
      }
    }
  }
}

TEST(UnitGrid, MeanCentredClipsBySkewHoweverManyBits) {
  // Section 2.9, example 2: the eighth value misses by 3 and more although steps shrink to 8 /
  // 2^16.
  const Floats values{0, 0, 0, 0, 0, 0, 0, 8};
  const auto error = [&](RangeRule rule) {
    return largest_error(quantized(spec_of(rule), values, 16), values);
  };
  EXPECT_NEAR(error(RangeRule::mean_centred), 3, 1e-3);
  EXPECT_LT(error(RangeRule::midpoint), 1e-4);
  EXPECT_EQ(error(RangeRule::minmax), 0);
}

TEST(StoreScale, Float16RoundsScaleAndBaseBeforeUse) {
  const Floats values{0.1f, 0.2f, 0.35f, 1.13f};
  for (const RangeRule rule : kRules) {
    QuantizerSpec spec = spec_of(rule);
    const UniformGrid exact = unit_grid(spec, stats_of(values), 4);
    spec.store_scale = StoreScale::f16;
    const UniformGrid grid = unit_grid(spec, stats_of(values), 4);
    EXPECT_EQ(grid.scale, float_from_half(half_from_float(exact.scale)));
    EXPECT_EQ(grid.base, float_from_half(half_from_float(exact.base)));
    EXPECT_NE(grid.base, exact.base);
    EXPECT_EQ(grid.highest, exact.highest);
  }
}

TEST(StoreScale, WithoutBitsTheConstantIsRounded) {
  QuantizerSpec spec = spec_of(RangeRule::midpoint);
  spec.store_scale = StoreScale::f16;
  EXPECT_EQ(quantized(spec, {0, 0.2f}, 0), Floats(2, float_from_half(half_from_float(0.1f))));
}

TEST(StoreScale, ASymmetricUnitsBaseFollowsFromItsScale) {
  QuantizerSpec spec = spec_of(RangeRule::midpoint, true);
  spec.store_scale = StoreScale::f16;
  const UniformGrid grid = unit_grid(spec, stats_of({-0.1f, 0.7f}), 3);
  EXPECT_EQ(grid.scale, float_from_half(half_from_float(1.4f / 8)));
  EXPECT_EQ(grid.base, -4 * grid.scale);
}

TEST(StoreScale, WhatFloat16CannotHoldSaturates) {
  QuantizerSpec spec = spec_of(RangeRule::midpoint);
  spec.store_scale = StoreScale::f16;
  for (const float x : quantized(spec, {-3e5f, 3e5f}, 2)) EXPECT_TRUE(std::isfinite(x));
  EXPECT_EQ(quantized(spec, {1e-12f, 3e-12f}, 2), (Floats{0, 0})) << "a step of 0 is the mean";
}

}  // namespace
}  // namespace qaq
