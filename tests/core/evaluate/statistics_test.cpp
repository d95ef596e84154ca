#include "core/evaluate/statistics.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <vector>

namespace qaq {
namespace {

TEST(Statistics, IntervalsByHand) {
  // 7 of 10: z = 1.96, z^2/n = 0.38416; (0.7 + 0.19208 -+ 1.96 sqrt(0.021 + 0.009604)) / 1.38416.
  const Interval wilson = wilson_interval(7, 10);
  const double half = 1.96 * std::sqrt(0.021 + 0.38416 / 40);
  EXPECT_NEAR(wilson.low, (0.89208 - half) / 1.38416, 1e-12);
  EXPECT_NEAR(wilson.high, (0.89208 + half) / 1.38416, 1e-12);
  EXPECT_NEAR(wilson.low, 0.3968, 1e-4);
  EXPECT_NEAR(wilson.high, 0.8922, 1e-4);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
  EXPECT_EQ(wilson_interval(0, 5).low, 0);
  EXPECT_LT(wilson_interval(0, 5).high, 0.6);
  EXPECT_NEAR(wilson_interval(5, 5).high, 1, 1e-12);
  EXPECT_NEAR(normal_half_interval(0.7, 10), 1.96 * std::sqrt(0.021), 1e-12);
  EXPECT_NEAR(normal_half_interval(0.5, 1000), 0.03099, 1e-5);
}

TEST(Statistics, McNemarIsTheTwoSidedBinomialTail) {
  EXPECT_EQ(mcnemar_p(0, 0), 1);
  EXPECT_NEAR(mcnemar_p(1, 0), 1, 1e-12);
  EXPECT_NEAR(mcnemar_p(0, 5), 2.0 / 32, 1e-12);
  EXPECT_NEAR(mcnemar_p(2, 8), 2.0 * (1 + 10 + 45) / 1024, 1e-12);
  EXPECT_NEAR(mcnemar_p(8, 2), mcnemar_p(2, 8), 1e-15);
  EXPECT_NEAR(mcnemar_p(4, 4), 1, 1e-12) << "not above 1";
}

TEST(Statistics, QuantilesInterpolate) {
  const std::vector<double> numbers{1, 2, 4, 8};
  EXPECT_EQ(quantile(numbers, 0), 1);
  EXPECT_EQ(quantile(numbers, 1), 8);
  EXPECT_EQ(quantile(numbers, 0.5), 3);
  EXPECT_NEAR(quantile(numbers, 0.99), 4 + 0.97 * 4, 1e-12);
  EXPECT_EQ(quantile(std::vector<double>{5}, 0.3), 5);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

TEST(Statistics, BootstrapAgreesWithTheNormalIntervalOfManyValues) {
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(std::sin(i * 0.7) + 0.25);
  const double n = 400, mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  const double half = 1.96 * std::sqrt(squares / n / n);
  const Interval interval = bootstrap_mean_interval(values);
  EXPECT_NEAR(interval.low, mean - half, 0.1 * half);
  EXPECT_NEAR(interval.high, mean + half, 0.1 * half);
  const Interval again = bootstrap_mean_interval(values);
  EXPECT_EQ(interval.low, again.low);
  EXPECT_EQ(interval.high, again.high);
}

TEST(Statistics, BootstrapOfFewValues) {
  const Interval one = bootstrap_mean_interval(std::vector<double>{3});
  EXPECT_EQ(one.low, 3);
  EXPECT_EQ(one.high, 3);
  // Of {0, 1} a mean is 0 or 1 with probability 1/4 each: both ends are reached.
  const Interval two = bootstrap_mean_interval(std::vector<double>{0, 1});
  EXPECT_EQ(two.low, 0);
  EXPECT_EQ(two.high, 1);
  EXPECT_TRUE(std::isnan(bootstrap_mean_interval({}).low));
}

}  // namespace
}  // namespace qaq
