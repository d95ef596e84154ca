#include "core/analysis/log_bins.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace qaq::test {
namespace {

// The definition: the last bin that begins at or below the number.
int by_definition(const LogBins& bins, float value) {
  int at = 0;
  while (at + 1 < bins.size() && value >= static_cast<float>(bins.edge(at + 1))) ++at;
  return at;
}

TEST(LogBins, AreTenADecade) {
  const LogBins bins(-2, 1);
  EXPECT_EQ(bins.size(), 30);
  EXPECT_DOUBLE_EQ(bins.edge(0), 0.01);
  EXPECT_DOUBLE_EQ(bins.edge(20), 1);
  EXPECT_DOUBLE_EQ(bins.edge(30), 10);
  EXPECT_EQ(bins.index(1), 20) << "an edge belongs to the bin that begins there";
  EXPECT_EQ(bins.index(std::nextafter(1.0f, 0.0f)), 19);
  EXPECT_EQ(bins.index(1.25f), 20);
  EXPECT_EQ(bins.index(1.26f), 21) << "10^0.1 = 1.2589";
}

TEST(LogBins, WhatLiesBesideCountsAtTheEnds) {
  const LogBins bins(-2, 1);
  for (const float low : {0.0f, -0.0f, -3.0f, 1e-9f, 1e-42f}) EXPECT_EQ(bins.index(low), 0) << low;
  for (const float high : {10.0f, 1e9f, std::numeric_limits<float>::infinity()}) {
    EXPECT_EQ(bins.index(high), 29) << high;
  }
  EXPECT_EQ(bins.place(0), 0);
  EXPECT_EQ(bins.place(1e9), 30);
}

TEST(LogBins, IndexIsTheDefinitionEverywhere) {
  std::mt19937 engine(5);
  for (const auto& [first, last] : {std::pair{-8, 4}, std::pair{-1, 1}, std::pair{-3, -2}}) {
    const LogBins bins(first, last);
    for (int i = 0; i < 20000; ++i) {
      const double decade =
          first - 1 + (last - first + 2) * (static_cast<double>(engine()) / 4294967296.0);
      const auto value = static_cast<float>(std::pow(10.0, decade));
      ASSERT_EQ(bins.index(value), by_definition(bins, value)) << value;
    }
    for (int i = 0; i < bins.size(); ++i) {
      const auto edge = static_cast<float>(bins.edge(i));
      EXPECT_EQ(bins.index(edge), i);
      EXPECT_EQ(bins.index(std::nextafter(edge, 0.0f)), std::max(0, i - 1));
      EXPECT_NEAR(bins.place(bins.edge(i)), i, 1e-9);
    }
  }
}

}  // namespace
}  // namespace qaq::test
