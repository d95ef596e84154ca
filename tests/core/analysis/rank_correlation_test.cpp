// Spearman's rho by hand, and its interval: the formula once with numbers from elsewhere, and what
// a 95 % interval promises.
#include "core/analysis/rank_correlation.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace qaq {
namespace {

using Numbers = std::vector<double>;

TEST(RankCorrelation, EqualNumbersShareTheMeanOfTheirRanks) {
  EXPECT_EQ(average_ranks(Numbers{7, -1, 7, 3}), (Numbers{3.5, 1, 3.5, 2}));
  EXPECT_EQ(average_ranks(Numbers{2, 2, 2}), (Numbers{2, 2, 2}));
  EXPECT_EQ(average_ranks(Numbers{}), Numbers{});
}

TEST(RankCorrelation, ByHand) {
  // Without ties 1 - 6 sum d^2 / (n (n^2 - 1)): d^2 adds up to 4.
  EXPECT_NEAR(rank_correlation(Numbers{1, 2, 3, 4, 5}, Numbers{20, 10, 40, 30, 50})->rho, 0.8,
              1e-15);
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5 / sqrt(4.5 * 5).
  EXPECT_NEAR(rank_correlation(Numbers{1, 2, 2, 3}, Numbers{1, 3, 2, 4})->rho, std::sqrt(0.9),
              1e-15);
  EXPECT_EQ(rank_correlation(Numbers{1, 2, 3}, Numbers{9, 1, 0})->rho, -1);
}

TEST(RankCorrelation, IntervalByHand) {
  // Neighbours swapped: d^2 adds up to 12, rho is 1 - 72 / 1716.
  Numbers a, b;
  for (int i = 0; i < 12; ++i) {
    a.push_back(i);
    b.push_back(i % 2 == 0 ? i + 1 : i - 1);
  }
  const auto found = rank_correlation(a, b);
  EXPECT_EQ(found->n, 12);
  EXPECT_NEAR(found->rho, 0.958041958041958, 1e-14);
  EXPECT_NEAR(found->interval.low, 0.8118325259991909, 1e-12);
  EXPECT_NEAR(found->interval.high, 0.9911961228649766, 1e-12);
  EXPECT_FALSE(found->may_be_chance());
}

TEST(RankCorrelation, OfFewPairsNothingIsClaimed) {
  Numbers a;
  for (std::int64_t i = 0; i < kLeastRanked - 1; ++i) a.push_back(static_cast<double>(i));
  const auto few = rank_correlation(a, a);
  EXPECT_EQ(few->rho, 1);
  EXPECT_EQ(few->interval.low, -1);
  EXPECT_EQ(few->interval.high, 1);
  EXPECT_TRUE(few->may_be_chance());
  a.push_back(100);
  EXPECT_FALSE(rank_correlation(a, a)->may_be_chance());
}

TEST(RankCorrelation, IsNotThereWhereNothingCanBeOrdered) {
  EXPECT_FALSE(rank_correlation(Numbers{}, Numbers{}));
  EXPECT_FALSE(rank_correlation(Numbers{1}, Numbers{1}));
  EXPECT_FALSE(rank_correlation(Numbers{3, 3, 3}, Numbers{1, 2, 3}));
  EXPECT_FALSE(rank_correlation(Numbers{1, 2, 3}, Numbers{0, 0, 0}));
}

TEST(RankCorrelation, PairsWithAnUnknownNumberAreLeftOut) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  const auto found = rank_correlation(Numbers{1, kUnknown, 2, 3, 4}, Numbers{1, 0, 2, 3, kUnknown});
  EXPECT_EQ(found->n, 3);
  EXPECT_EQ(found->rho, 1);
}

TEST(RankCorrelation, GrowingFunctionsAndSidesDoNotMatter) {
  std::mt19937 random(5);
  std::normal_distribution<double> normal;
  Numbers a, b, grown;
  for (int i = 0; i < 40; ++i) {
    a.push_back(normal(random));
    b.push_back(a.back() + normal(random));
    grown.push_back(std::exp(3 * a.back()));
  }
  const auto one = rank_correlation(a, b), other = rank_correlation(b, grown);
  EXPECT_EQ(one->rho, other->rho);
  EXPECT_EQ(one->interval.low, other->interval.low);
}

TEST(RankCorrelation, IndependentPairsAreTakenForChanceNineteenTimesInTwenty) {
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  for (const int n : {10, 30, 90}) {
    int chance = 0;
    constexpr int kTrials = 2000;
    for (int trial = 0; trial < kTrials; ++trial) {
      Numbers a, b;
      for (int i = 0; i < n; ++i) {
        a.push_back(normal(random));
        b.push_back(normal(random));
      }
      chance += rank_correlation(a, b)->may_be_chance() ? 1 : 0;
    }
    // Five standard deviations of the count are 49.
    EXPECT_GT(chance, 0.92 * kTrials) << n;
    EXPECT_LT(chance, 0.98 * kTrials) << n;
  }
}

}  // namespace
}  // namespace qaq
