#include "core/evaluate/position_score.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace qaq {
namespace {

TEST(CompareLogits, ByHand) {
  // p = (1/2, 1/4, 1/4), q = (1/4, 1/4, 1/2), whatever is added to a row.
  const auto l = [](double x) { return static_cast<float>(std::log(x)); };
  const std::vector<float> p{l(0.5) + 3, l(0.25) + 3, l(0.25) + 3};
  const std::vector<float> q{l(0.25) - 5, l(0.25) - 5, l(0.5) - 5};
  const PositionScore score = compare_logits(p, q, 2);
  EXPECT_NEAR(score.kl, 0.25 * std::log(2), 1e-6) << "1/2 ln 2 + 0 - 1/4 ln 2";
  EXPECT_NEAR(score.margin, std::log(2), 1e-6);
  EXPECT_FALSE(score.same_top);
  EXPECT_NEAR(score.reference_nll, std::log(4), 1e-6);
  EXPECT_NEAR(score.nll, std::log(2), 1e-6);
  const double a = 8 + std::log(2), b = 8, c = 8 - std::log(2);
  EXPECT_NEAR(score.squared_difference, a * a + b * b + c * c, 1e-3);
  EXPECT_NEAR(log_probability(p, 0), std::log(0.5), 1e-6);
  EXPECT_NEAR(log_probability(q, 1), std::log(0.25), 1e-6);
}

TEST(CompareLogits, EqualRowsLoseNothing) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal(0, 8);
  std::vector<float> row(50000);
  for (float& x : row) x = normal(random);
  const PositionScore score = compare_logits(row, row, -1);
  EXPECT_EQ(score.kl, 0);
  EXPECT_TRUE(score.same_top);
  EXPECT_EQ(score.squared_difference, 0);
  EXPECT_TRUE(std::isnan(score.nll) && std::isnan(score.reference_nll));
}

TEST(CompareLogits, AgainstThePlainFormula) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0, 5);
  std::vector<float> p(3000), q(3000);
  for (std::size_t i = 0; i < p.size(); ++i) {
    p[i] = normal(random);
    q[i] = p[i] + 0.3f * normal(random);
  }
  double kl = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    kl += std::exp(log_probability(p, id)) * (log_probability(p, id) - log_probability(q, id));
  }
  EXPECT_NEAR(compare_logits(p, q, 7).kl, kl, 1e-12);
  EXPECT_NEAR(compare_logits(p, q, 7).nll, -log_probability(q, 7), 1e-12);
}

TEST(CompareLogits, TiesGoToTheLowerId) {
  const std::vector<float> tie{1, 2, 2}, first{1, 3, 2}, second{1, 2, 3};
  EXPECT_TRUE(compare_logits(tie, first, -1).same_top);
  EXPECT_FALSE(compare_logits(tie, second, -1).same_top);
  EXPECT_EQ(compare_logits(tie, first, -1).margin, 0);
}

}  // namespace
}  // namespace qaq
