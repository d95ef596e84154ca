#include "core/quant/unit_errors.h"

#include <gtest/gtest.h>

#include "core/quant/unit_grid.h"

namespace qaq {
namespace {

// Two KV heads, two tokens, eight channels: the micro-examples of section 2.9 and a constant.
NdArray<float, 3> cache() {
  NdArray<float, 3> out({2, 2, 8});
  const std::vector<float> values{0,   1, 2, 3, 4, 5, 6, 7,   //
                                  0,   0, 0, 0, 0, 0, 0, 8,   //
                                  -10, 1, 2, 3, 4, 5, 6, 20,  //
                                  3,   3, 3, 3, 3, 3, 3, 3};
  std::copy(values.begin(), values.end(), out.data());
  return out;
}

struct Measured {
  std::vector<UnitStats> stats;
  std::vector<float> errors;
  float at(std::int64_t unit, std::int64_t n_bits) const {
    return errors[static_cast<std::size_t>(unit * kBitChoices + n_bits)];
  }
};

Measured measured(const QuantizerSpec& spec) {
  const NdArray<float, 3> values = cache();
  const CacheLayer layer = values.view();
  const UnitLayout layout(spec.level, {1, 2, 2, 8});
  Measured out;
  out.stats.resize(static_cast<std::size_t>(layout.n_units()));
  out.errors.assign(out.stats.size() * kBitChoices, -1.0f);
  fill_unit_stats(layout, spec, 0, {&layer, 1}, out.stats);
  fill_unit_errors(layout, spec, out.stats, 0, {&layer, 1}, out.errors);
  return out;
}

TEST(UnitErrors, ByHand) {
  // Units go token first: head 0 token 0, head 1 token 0, head 0 token 1, head 1 token 1.
  const Measured m = measured({.outliers_ratio = 0});
  // Example 1: errors 0, .75, .25, .5, .5, .25, .75, 1.75.
  EXPECT_FLOAT_EQ(m.at(0, 2), (.5625f + .0625f + .25f + .25f + .0625f + .5625f + 3.0625f) / 8);
  // Example 2: seven values by 1 and one by 5.
  EXPECT_FLOAT_EQ(m.at(2, 2), (7 + 25) / 8.0f);
  EXPECT_EQ(m.at(3, 0), 0) << "constant";
  const Measured middle = measured({.range_rule = RangeRule::midpoint, .outliers_ratio = 0});
  EXPECT_FLOAT_EQ(middle.at(2, 0), 16) << "all in the middle of 0 and 8";
  EXPECT_FLOAT_EQ(middle.at(2, 1), 4);
}

TEST(UnitErrors, OutliersDoNotCount) {
  // Example 4: -10 and 20 are kept; 1 by 0, 2 by .25, 3 by .5, 4 by .5, 5 by .25, 6 by 1.25.
  const Measured m = measured({.outliers_ratio = 0.25});
  EXPECT_EQ(m.stats[1].n_inliers, 6);
  EXPECT_FLOAT_EQ(m.at(1, 2), (.0625f + .25f + .25f + .0625f + 1.5625f) / 6);
  EXPECT_EQ(m.at(3, 4), 0) << "no inlier";
}

TEST(UnitErrors, AUnitThatSpansHeadsIsMeasuredAsOne) {
  const Measured m = measured({.level = Level::layer, .range_rule = RangeRule::minmax});
  const NdArray<float, 3> values = cache();
  const QuantizerSpec spec{.level = Level::layer, .range_rule = RangeRule::minmax};
  for (int n_bits = 0; n_bits <= kMaxBits; ++n_bits) {
    const UniformGrid grid = unit_grid(spec, m.stats[0], n_bits);
    double sum = 0;
    for (std::int64_t head = 0; head < 2; ++head) {
      for (const float x : values.sub(head, 0).span()) {
        const double error = double{decode(grid, encode(grid, x))} - x;
        sum += error * error;
      }
    }
    EXPECT_FLOAT_EQ(m.at(0, n_bits), static_cast<float>(sum / 16));
  }
}

}  // namespace
}  // namespace qaq
