#include "core/quant/arith.h"

#include <gtest/gtest.h>
#include <limits>

namespace qaq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// range / (2 max_error) = x with max_error 1/2.
int bits_of_quotient(float x) { return bits_for(x, 0.5f); }

TEST(BitsFor, IsTheSmallestPowerOfTwoThatReachesTheQuotientPlusOne) {
  for (int b = 1; b <= 16; ++b) {
    const auto power = static_cast<float>(1 << b);
    const float ulp = power * 0x1p-23f;
    EXPECT_EQ(bits_of_quotient(power - 1), b) << "exactly 2^b needs b bits";
    EXPECT_EQ(bits_of_quotient(power - 1 + ulp), b + 1) << "one step more needs another";
    EXPECT_EQ(bits_of_quotient(power / 2), b) << "2^(b-1) + 1 needs b bits";
  }
}

TEST(BitsFor, AgreesWithTheLogarithmAwayFromPowersOfTwo) {
  for (float x = 0.01f; x < 70000; x *= 1.0007f) {
    const double sum = double{x} + 1, logarithm = std::log2(sum);
    if (std::abs(logarithm - std::round(logarithm)) < 1e-5) continue;
    EXPECT_EQ(bits_of_quotient(x), static_cast<int>(std::ceil(logarithm))) << x;
  }
}

TEST(BitsFor, FormsTheSumInFloat32) {
  // Half an ulp of 1 and below vanishes in the sum: 0 bits, where float64 would say 1.
  EXPECT_EQ(bits_of_quotient(0x1p-24f), 0);
  EXPECT_EQ(bits_of_quotient(std::nextafter(0x1p-24f, 1.0f)), 1);
  EXPECT_EQ(bits_of_quotient(1e-30f), 0);
}

TEST(BitsFor, HasAnAnswerAtTheEnds) {
  EXPECT_EQ(bits_for(0, 1), 0);
  EXPECT_EQ(bits_for(0, 0), 0) << "no range needs no bits, whatever the error";
  EXPECT_EQ(bits_for(5, kInfinity), 0);
  EXPECT_GT(bits_for(5, 0), kMaxBits);
  EXPECT_GT(bits_for(std::numeric_limits<float>::max(), std::numeric_limits<float>::min()),
            kMaxBits);
}

TEST(OutlierRanks, AreTheAuthorsAtTheirUnitSizes) {
  EXPECT_EQ(k_low(0.01, 64), 1);
  EXPECT_EQ(k_high(0.01, 64), 63);
  EXPECT_EQ(k_low(0.01, 128) + 128 - k_high(0.01, 128), 2);
  EXPECT_EQ(k_low(0.01, 131072), 656);
  EXPECT_EQ(131072 - k_high(0.01, 131072), 656);
  EXPECT_EQ(k_low(0.01, 1), 1);
  EXPECT_EQ(k_high(0.01, 1), 0) << "a single value has no inlier";
}

TEST(UniformGrid, RoundsHalfToEvenAndClips) {
  const UniformGrid grid = mean_centred_grid(0, 16, 4);  // step 1, codes -8 .. 7
  EXPECT_EQ(encode(grid, 0.5f), 0);
  EXPECT_EQ(encode(grid, 1.5f), 2);
  EXPECT_EQ(encode(grid, 2.5f), 2);
  EXPECT_EQ(encode(grid, -0.5f), 0);
  EXPECT_EQ(encode(grid, -1.5f), -2);
  EXPECT_EQ(encode(grid, std::nextafter(0.5f, 1.0f)), 1);
  EXPECT_EQ(encode(grid, 7.49f), 7);
  EXPECT_EQ(encode(grid, 8), 7);
  EXPECT_EQ(encode(grid, -9), -8);
  EXPECT_EQ(encode(grid, 1e30f), 7);
  EXPECT_EQ(encode(grid, -1e30f), -8);
}

TEST(UniformGrid, SixteenBitsReachBothEnds) {
  const UniformGrid grid = mean_centred_grid(0, 65536, 16);
  EXPECT_EQ(encode(grid, -32768), -32768);
  EXPECT_EQ(encode(grid, 32767), 32767);
  EXPECT_EQ(encode(grid, 32768), 32767);
}

TEST(UniformGrid, ZeroBitsGiveTheMeanLessHalfTheRange) {
  const UniformGrid grid = mean_centred_grid(3, 10, 0);
  for (const float x : {-5.0f, 3.0f, 8.0f}) EXPECT_EQ(decode(grid, encode(grid, x)), -2);
}

TEST(UniformGrid, NoStepGivesTheMean) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  for (const float range : {0.0f, tiny}) {
    const UniformGrid grid = mean_centred_grid(1.25f, range, 8);
    for (const float x : {1.25f, 0.0f, 9.0f}) EXPECT_EQ(decode(grid, encode(grid, x)), 1.25f);
  }
}

}  // namespace
}  // namespace qaq
