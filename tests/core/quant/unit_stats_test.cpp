#include "core/quant/unit_stats.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>
#include <random>

namespace qaq {
namespace {

UnitStats stats_of(std::vector<float> values, double ratio, Method method = Method::uniform) {
  std::mt19937 random(7);
  std::shuffle(values.begin(), values.end(), random);  // order must not matter
  return stats_of_unit(values, {.method = method, .outliers_ratio = ratio});
}

std::vector<float> kept(const std::vector<float>& values, const UnitStats& stats) {
  std::vector<float> out;
  for (const float x : values) {
    if (stats.is_outlier(x)) out.push_back(x);
  }
  return out;
}

TEST(UnitStats, WithoutRatioNothingIsAnOutlier) {
  const std::vector<float> values{0, 1, 2, 3, 4, 5, 6, 7};
  const UnitStats stats = stats_of(values, 0);
  EXPECT_TRUE(kept(values, stats).empty());
  EXPECT_EQ(stats.n_inliers, 8);
  EXPECT_EQ(stats.mean, 3.5f);
  EXPECT_EQ(stats.range(false), 7);
  EXPECT_EQ(stats.range(true), 14);
}

TEST(UnitStats, MethodNormalAloneHasADeviation) {
  const std::vector<float> values{0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_FLOAT_EQ(stats_of(values, 0, Method::normal).deviation, 2.4494897f) << "divisor n - 1";
  EXPECT_EQ(stats_of(values, 0, Method::uniform).deviation, 0);
}

TEST(UnitStats, LowSideIsInclusiveAndHighSideStrict) {
  const std::vector<float> values{1, 1, 1, 2, 3, 4, 9, 9};
  const UnitStats stats = stats_of(values, 0.25);
  EXPECT_EQ(kept(values, stats), (std::vector<float>{1, 1, 1}))
      << "ties at the low threshold add outliers, ties at the high one remove them";
  EXPECT_EQ(stats.n_inliers, 5);
}

TEST(UnitStats, ANumberThatIsNoneIsAnOutlier) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(stats_of({0, 1, 2, 3, 4, 5, 6, 7}, 0).is_outlier(nan)) << "no code stands for it";
  EXPECT_TRUE(stats_of({0, 1, 2, 3, 4, 5, 6, 7}, 0.25).is_outlier(nan));
}

TEST(UnitStats, OutliersDoNotCount) {
  const UnitStats stats = stats_of({-10, 1, 2, 3, 4, 5, 6, 20}, 0.25);
  EXPECT_EQ(stats.n_inliers, 6);
  EXPECT_EQ(stats.min, 1);
  EXPECT_EQ(stats.max, 6);
  EXPECT_EQ(stats.mean, 3.5f);
}

TEST(UnitStats, CountIsTheFormulasWhereValuesDiffer) {
  for (const std::size_t n : {2u, 3u, 64u, 128u, 4096u}) {
    std::vector<float> values(n);
    std::iota(values.begin(), values.end(), -3.0f);
    for (const double ratio : {0.01, 0.05, 0.25, 0.5}) {
      const auto low = static_cast<std::int64_t>(std::ceil(ratio / 2 * static_cast<double>(n)));
      const auto high =
          static_cast<std::int64_t>(std::floor((1 - ratio / 2) * static_cast<double>(n)));
      EXPECT_EQ(stats_of(values, ratio).n_inliers, std::max<std::int64_t>(0, high - low))
          << n << " " << ratio;
    }
  }
}

TEST(UnitStats, AUnitWithoutInliersIsKeptWhole) {
  for (const std::vector<float>& values :
       {std::vector<float>{5}, std::vector<float>{1.25f, 1.25f, 1.25f, 1.25f},
        std::vector<float>{1, 2}}) {
    const UnitStats stats = stats_of(values, 0.01);
    EXPECT_EQ(kept(values, stats), values);
    EXPECT_EQ(stats.n_inliers, 0);
    EXPECT_EQ(stats.range(false), 0);
    EXPECT_EQ(stats.range(true), 0);
  }
}

TEST(UnitStats, OneValueHasNoDeviation) {
  const UnitStats stats = stats_of({5}, 0, Method::normal);
  EXPECT_EQ(stats.n_inliers, 1);
  EXPECT_EQ(stats.mean, 5);
  EXPECT_EQ(stats.deviation, 0);
}

TEST(UnitStats, RangeSaturates) {
  const float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(stats_of({-largest, largest}, 0).range(false), largest);
  EXPECT_EQ(stats_of({0, largest}, 0).range(true), largest);
}

TEST(UnitLayout, NumbersUnitsTokenFirst) {
  const CacheShape shape{2, 3, 5, 4};
  const UnitLayout token(Level::token, shape), layer(Level::layer, shape), head(Level::head, shape);
  EXPECT_EQ(token.n_units(), 5);
  EXPECT_EQ(token.unit_size(), 24);
  EXPECT_EQ(token.unit(1, 2, 3), 3);
  EXPECT_EQ(layer.n_units(), 10);
  EXPECT_EQ(layer.unit_size(), 12);
  EXPECT_EQ(layer.unit(1, 2, 3), 7);
  EXPECT_EQ(head.n_units(), 30);
  EXPECT_EQ(head.unit_size(), 4);
  EXPECT_EQ(head.unit(1, 2, 3), 23);
}

TEST(FillUnitStats, LayerByLayerGivesTheSameAsAllAtOnce) {
  const CacheShape shape{3, 2, 70, 4};
  NdArray<float, 4> cache({3, 2, 80, 4});  // more tokens than are asked for
  std::mt19937 random(3);
  for (float& x : cache.span()) x = static_cast<float>(random() % 1000) / 100;
  for (const Level level : {Level::layer, Level::head}) {
    const UnitLayout layout(level, shape);
    const auto n = static_cast<std::size_t>(layout.n_units());
    std::vector<UnitStats> once(n), by_layer(n);
    const std::vector<CacheLayer> layers{cache.view().sub(0), cache.view().sub(1),
                                         cache.view().sub(2)};
    const QuantizerSpec spec{.method = Method::normal, .outliers_ratio = 0.05};
    fill_unit_stats(layout, spec, 0, layers, once);
    for (std::int64_t layer = 0; layer < 3; ++layer) {
      fill_unit_stats(layout, spec, layer, {&layers[static_cast<std::size_t>(layer)], 1}, by_layer);
    }
    for (std::size_t unit = 0; unit < n; ++unit) {
      ASSERT_GT(once[unit].n_inliers, 0);
      EXPECT_EQ(once[unit].n_inliers, by_layer[unit].n_inliers);
      EXPECT_EQ(once[unit].mean, by_layer[unit].mean);
      EXPECT_EQ(once[unit].deviation, by_layer[unit].deviation);
    }
  }
}

}  // namespace
}  // namespace qaq
