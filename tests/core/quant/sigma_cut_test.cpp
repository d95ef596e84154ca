// Outliers by rule nsigma: the definition, its edges, and what must hold whatever the values.
#include "core/quant/sigma_cut.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "core/base/text.h"
#include "core/quant/unit_errors.h"
#include "core/quant/unit_stats.h"

namespace qaq {
namespace {

using Places = std::set<std::size_t>;

QuantizerSpec nsigma(double n_sigma, double max_outliers) {
  return {.outlier_rule = OutlierRule::nsigma, .n_sigma = n_sigma, .max_outliers = max_outliers};
}

Places outliers(const std::vector<float>& values, const QuantizerSpec& spec) {
  const UnitStats stats = stats_of_unit(values, spec);
  Places out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (stats.is_outlier(values[i], static_cast<std::int64_t>(i))) out.insert(i);
  }
  EXPECT_EQ(stats.n_inliers, static_cast<std::int64_t>(values.size() - out.size()));
  return out;
}

// The definition, written out once more: every value sorted by how far out it lies.
Places by_definition(const std::vector<float>& values, double n_sigma, double max_outliers) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const float x : values) squares += (x - mean) * (x - mean);
  const double limit = n_sigma * std::sqrt(squares / n);
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto distance = [&](std::size_t i) { return std::abs(values[i] - mean); };
  std::ranges::stable_sort(order, std::greater(), distance);
  order.resize(static_cast<std::size_t>(max_outliers * n));
  std::erase_if(order, [&](std::size_t i) { return !(distance(i) > limit); });
  return {order.begin(), order.end()};
}

// Whole numbers whose sum is 0, so that the mean is exact, and equal distances are: the hard case.
std::vector<float> values_with_ties(std::mt19937& random) {
  std::vector<float> out;
  const std::size_t n_pairs = 4 + random() % 40;
  for (std::size_t i = 0; i < n_pairs; ++i) {
    const auto x = static_cast<float>(random() % 9) * (random() % 6 == 0 ? 4.0f : 1.0f);
    out.insert(out.end(), {x, -x});
  }
  std::shuffle(out.begin(), out.end(), random);
  return out;
}

TEST(SigmaCut, ByHand) {
  // mu 0, sigma sqrt((8^2 + 6^2 + 6 + 8) / 16) = sqrt(114 / 16) = 2.669.
  const std::vector<float> values{1, -1, 8, 1, -1, 1, -6, -1, 1, -1, 1, -1, 1, -1, -2, 0};
  EXPECT_EQ(outliers(values, nsigma(2, 0.2)), (Places{2, 6})) << "beyond 5.338";
  EXPECT_EQ(outliers(values, nsigma(2.5, 0.2)), (Places{2})) << "beyond 6.67";
  EXPECT_EQ(outliers(values, nsigma(2, 0.1)), (Places{2})) << "floor(1.6) is 1: the farthest";
  EXPECT_EQ(outliers(values, nsigma(2, 0.06)), Places{}) << "floor(0.96) is 0";
  const UnitStats stats = stats_of_unit(values, nsigma(2, 0.2));
  EXPECT_EQ(stats.min, -2);
  EXPECT_EQ(stats.max, 1);
  EXPECT_FLOAT_EQ(stats.mean, -2.0f / 14);
}

TEST(SigmaCut, OfEquallyFarOnesTheLowerPlaces) {
  const std::vector<float> values{0, -4, 0, 4, 0, 4, 0, -4, 0, 0};
  EXPECT_EQ(outliers(values, nsigma(1, 0.4)), (Places{1, 3, 5, 7}));
  EXPECT_EQ(outliers(values, nsigma(1, 0.3)), (Places{1, 3, 5}));
  EXPECT_EQ(outliers(values, nsigma(1, 0.2)), (Places{1, 3})) << "of 4 one stays in";
  EXPECT_EQ(outliers(values, nsigma(1, 0.1)), (Places{1}));
  const UnitStats stats = stats_of_unit(values, nsigma(1, 0.2));
  EXPECT_EQ(stats.min, -4) << "what is not kept counts";
  EXPECT_EQ(stats.max, 4);
  // All values equally far: none lies in between.
  EXPECT_EQ(outliers({-1, 1, 1, -1}, nsigma(0.5, 0.75)), (Places{0, 1, 2}));
}

TEST(SigmaCut, AUnitSeenFromAPlaceHasTheSameOutliers) {
  std::mt19937 random(5);
  for (int round = 0; round < 200; ++round) {
    const std::vector<float> values = values_with_ties(random);
    const UnitStats stats = stats_of_unit(values, nsigma(1, 0.2));
    const std::size_t first = random() % values.size();
    const UnitStats behind = stats.behind(static_cast<std::int64_t>(first));
    for (std::size_t i = first; i < values.size(); ++i) {
      ASSERT_EQ(behind.is_outlier(values[i], static_cast<std::int64_t>(i - first)),
                stats.is_outlier(values[i], static_cast<std::int64_t>(i)));
    }
  }
}

TEST(SigmaCut, IsTheDefinition) {
  std::mt19937 random(20261128);
  int n_tied = 0, n_capped = 0, n_free = 0;
  for (int round = 0; round < 2000; ++round) {
    const std::vector<float> values = values_with_ties(random);
    const double n_sigma = 0.25 * static_cast<double>(1 + random() % 12),
                 most = 0.05 * static_cast<double>(random() % 12);
    SCOPED_TRACE(cat("round ", round));
    const Places got = outliers(values, nsigma(n_sigma, most));
    ASSERT_EQ(got, by_definition(values, n_sigma, most));
    n_tied += stats_of_unit(values, nsigma(n_sigma, most)).has_ties();
    const bool full =
        got.size() == static_cast<std::size_t>(most * static_cast<double>(values.size()));
    (full ? n_capped : n_free) += !got.empty();
  }
  EXPECT_GT(n_tied, 300);
  EXPECT_GT(n_capped, 300);
  EXPECT_GT(n_free, 100);
}

TEST(SigmaCut, MoreDeviationsNeverAddOne) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 300; ++round) {
    std::vector<float> values = values_with_ties(random);
    if (round % 2 == 0) std::ranges::generate(values, [&] { return normal(random); });
    const double most = 0.3;
    Places before = outliers(values, nsigma(1e-6, most));
    for (double n_sigma = 0.1; n_sigma < 5; n_sigma += 0.1) {
      const Places now = outliers(values, nsigma(n_sigma, most));
      ASSERT_TRUE(std::ranges::includes(before, now)) << "round " << round << ", " << n_sigma;
      ASSERT_LE(static_cast<double>(now.size()), most * static_cast<double>(values.size()));
      before = now;
    }
  }
}

TEST(SigmaCut, BeyondTheRootOfNThereIsNone) {
  std::mt19937 random(11);
  for (const std::size_t n : {1u, 2u, 3u, 16u, 64u, 1000u}) {
    // The farthest that a value can be: sqrt(n - 1) deviations.
    std::vector<float> lone(n, 0.1f);
    lone[random() % n] = 1e6f;
    const double root = std::sqrt(static_cast<double>(n));
    EXPECT_EQ(outliers(lone, nsigma(root, 0.999)), Places{}) << n;
    if (n > 2) {
      EXPECT_EQ(outliers(lone, nsigma(0.99 * std::sqrt(static_cast<double>(n) - 1), 0.999)).size(),
                1u);
    }
  }
}

TEST(SigmaCut, WithoutSpreadThereIsNone) {
  for (const float x : {0.0f, 0.1f, -3.4e38f, 1e-42f}) {
    EXPECT_EQ(outliers(std::vector<float>(77, x), nsigma(1e-6, 0.999)), Places{}) << x;
  }
}

TEST(SigmaCut, ScaleAndOriginDoNotMatter) {
  std::mt19937 random(8);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 300; ++round) {
    // Multiples of 2^-8, so that times a power of two and plus a whole number are exact.
    std::vector<float> values(64);
    std::ranges::generate(values, [&] { return std::round(256 * normal(random)) / 256; });
    const QuantizerSpec spec = nsigma(1.7, 0.05 * (1 + round % 5));
    const Places want = outliers(values, spec);
    for (const auto& [alpha, beta] : {std::pair{4.0f, 3.0f}, {-0.5f, 100.0f}, {-1.0f, 0.0f}}) {
      std::vector<float> moved = values;
      for (float& x : moved) x = alpha * x + beta;
      ASSERT_EQ(outliers(moved, spec), want) << "round " << round << ", " << alpha << ", " << beta;
    }
  }
}

TEST(SigmaCut, MeasuredErrorsAreOfTheInliersAlone) {
  // Of two values equally far out only one may be kept, so the other is an inlier.
  NdArray<float, 3> layer({1, 1, 10});
  const std::vector<float> values{0, -4, 0, 1, 0, 4, 0, -1, 0, 0};
  std::ranges::copy(values, layer.data());
  const QuantizerSpec spec = nsigma(1.5, 0.1);
  const UnitLayout layout(Level::head, {1, 1, 1, 10});
  std::vector<UnitStats> stats{stats_of_unit(values, spec)};
  ASSERT_TRUE(stats[0].has_ties());
  ASSERT_EQ(stats[0].n_inliers, 9);
  std::vector<float> errors(kBitChoices);
  const CacheLayer view = layer.view();
  fill_unit_errors(layout, spec, stats, 0, {&view, 1}, errors);
  // 0 bits, mean 4/9, range 5: all become 4/9 - 5/2.
  const double all = 4.0 / 9 - 2.5;
  double sum = 0;
  for (const double x : {0, 0, 1, 0, 4, 0, -1, 0, 0}) sum += (x - all) * (x - all);
  EXPECT_NEAR(errors[0], sum / 9, 1e-5);
}

}  // namespace
}  // namespace qaq
