#include "core/quant/normal_codebook.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace qaq {
namespace {

TEST(NormalQuantile, IsTheTabulatedOne) {
  // Twenty digits from any table of the normal distribution, cut to double.
  EXPECT_DOUBLE_EQ(normal_quantile(0.75), 0.67448975019608174320);
  EXPECT_DOUBLE_EQ(normal_quantile(0.875), 1.1503493803760081783);
  EXPECT_DOUBLE_EQ(normal_quantile(0.975), 1.9599639845400542355);
  EXPECT_DOUBLE_EQ(normal_quantile(0.995), 2.5758293035489007610);
  EXPECT_DOUBLE_EQ(normal_quantile(0.001), -3.0902323061678135415);
  EXPECT_EQ(normal_quantile(0.5), 0);
}

TEST(NormalQuantile, InvertsTheDistributionEverywhere) {
  for (double p = 1e-300; p < 0.5; p *= 1.37) {
    const double x = normal_quantile(p);
    const double back = std::erfc(-x / std::sqrt(2.0)) / 2;
    // d(ln p) = (density / p) dx: an ulp of x weighs about x^2 ulp of p in the tail.
    EXPECT_NEAR(back / p, 1, 4e-16 * (4 + x * x)) << p;
  }
}

TEST(NormalQuantile, IsOddAboutOneHalf) {
  for (double p = 0.5; p > 1e-15; p /= 2) {  // 1 - p is exact
    EXPECT_EQ(normal_quantile(1 - p), -normal_quantile(p)) << p;
  }
}

TEST(NormalQuantile, KeepsItsDigitsNearTheMiddle) {
  // quantile(1/2 + d) = sqrt(2 pi) d (1 + pi d^2 / 3 + ...).
  for (const double d : {0x1p-17, 0x1p-30}) {
    EXPECT_NEAR(normal_quantile(0.5 + d) / (std::sqrt(2 * M_PI) * d * (1 + M_PI * d * d / 3)), 1,
                1e-15);
  }
}

TEST(NormalCodebook, HasCellsOfEqualProbabilityAroundTheirMedians) {
  const NormalCodebook& two = normal_codebook(2);
  ASSERT_EQ(two.centre.size(), 4u);
  EXPECT_NEAR(two.centre[0], -1.150349, 1e-6);
  EXPECT_NEAR(two.centre[1], -0.318639, 1e-6);
  EXPECT_NEAR(two.upper[0], -0.674490, 1e-6);
  EXPECT_EQ(two.upper[1], 0);
  EXPECT_TRUE(std::isinf(two.upper[3]));
  EXPECT_NEAR(normal_codebook(1).centre[1], 0.674490, 1e-6);
  EXPECT_EQ(normal_codebook(0).centre, std::vector<float>{0});
}

TEST(NormalCodebook, IsSymmetricAndOrderedAtEveryWidth) {
  for (int n_bits = 1; n_bits <= 16; ++n_bits) {
    const NormalCodebook& book = normal_codebook(n_bits);
    const std::size_t n = book.centre.size();
    ASSERT_EQ(n, std::size_t{1} << n_bits);
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(book.centre[i], -book.centre[n - 1 - i]);
    EXPECT_TRUE(std::is_sorted(book.centre.begin(), book.centre.end()));
    EXPECT_TRUE(std::is_sorted(book.upper.begin(), book.upper.end()));
  }
}

TEST(NormalCodebook, AnEdgeBelongsToTheCellBelow) {
  const NormalCodebook& book = normal_codebook(2);
  EXPECT_EQ(book.nearest(book.upper[0]), book.centre[0]);
  EXPECT_EQ(book.nearest(std::nextafter(book.upper[0], 1.0f)), book.centre[1]);
  EXPECT_EQ(book.nearest(0), book.centre[1]);
  EXPECT_EQ(book.nearest(-100), book.centre[0]);
  EXPECT_EQ(book.nearest(100), book.centre[3]);
}

}  // namespace
}  // namespace qaq
