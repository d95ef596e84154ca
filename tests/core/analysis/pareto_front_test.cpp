#include "core/analysis/pareto_front.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace qaq {
namespace {

TEST(ParetoFront, KeepsWhatNothingBeats) {
  const std::vector<Tradeoff> points{{2, .1}, {4, .3}, {3, .4}, {4, .5}, {8, .9}, {2, .2}};
  EXPECT_EQ(pareto_front(points), (std::vector<bool>{true, true, false, false, true, false}));
}

TEST(ParetoFront, EqualPointsDoNotBeatEachOther) {
  const std::vector<Tradeoff> points{{2, .1}, {2, .1}};
  EXPECT_EQ(pareto_front(points), (std::vector<bool>{true, true}));
}

TEST(LossAt, MixesNeighboursByTheirBytes) {
  const std::vector<Tradeoff> points{{1, .01}, {2, .1}, {4, 10}};
  EXPECT_DOUBLE_EQ(loss_at(points, 1).value(), .01);
  EXPECT_DOUBLE_EQ(loss_at(points, 2).value(), .1);
  // Bytes 1/2 and 1/4, their middle is 3/8; the middle of .1 and 10 in logarithms is 1.
  EXPECT_DOUBLE_EQ(loss_at(points, 8.0 / 3).value(), 1);
  EXPECT_NEAR(loss_at(points, 4).value(), 10, 1e-12);
}

TEST(LossAt, KnowsNothingOutside) {
  const std::vector<Tradeoff> points{{2, .1}, {4, 0}};
  EXPECT_FALSE(loss_at(points, 1.9));
  EXPECT_FALSE(loss_at(points, 4.1));
  EXPECT_FALSE(loss_at(points, 3)) << "a loss of 0 has no logarithm";
  EXPECT_FALSE(loss_at({}, 1));
}

TEST(ParetoFront, IsWhatComparingAllPairsGives) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<Tradeoff> points;
    for (int i = 0; i < 40; ++i) {  // few values, so that many tie
      points.push_back({static_cast<double>(random() % 8), static_cast<double>(random() % 8)});
    }
    const std::vector<bool> front = pareto_front(points);
    for (std::size_t i = 0; i < points.size(); ++i) {
      const bool beaten = std::ranges::any_of(points, [&](const Tradeoff& other) {
        return other.ratio >= points[i].ratio && other.loss <= points[i].loss &&
               (other.ratio > points[i].ratio || other.loss < points[i].loss);
      });
      EXPECT_EQ(front[i], !beaten);
    }
  }
}

}  // namespace
}  // namespace qaq
