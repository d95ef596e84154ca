#include "core/base/half.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace qaq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::uint16_t u16(unsigned bits) { return static_cast<std::uint16_t>(bits); }

// The definition of IEEE 754 binary16, for finite patterns.
double value_of_half(unsigned bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31), mantissa = static_cast<int>(bits & 1023);
  const double magnitude =
      exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return bits & 0x8000u ? -magnitude : magnitude;
}

TEST(Half, EveryPatternHasTheValueOfTheDefinition) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const float value = float_from_half(u16(bits));
    if ((bits & 0x7fffu) > 0x7c00u) {
      EXPECT_TRUE(std::isnan(value)) << bits;
    } else if ((bits & 0x7fffu) == 0x7c00u) {
      EXPECT_EQ(value, bits & 0x8000u ? -kInfinity : kInfinity);
    } else {
      EXPECT_EQ(static_cast<double>(value), value_of_half(bits)) << bits;
      EXPECT_EQ(std::signbit(value), (bits & 0x8000u) != 0) << bits;
    }
  }
}

TEST(Half, EveryPatternComesBackFromFloat) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const unsigned back = half_from_float(float_from_half(u16(bits)));
    if ((bits & 0x7fffu) > 0x7c00u) {
      EXPECT_EQ(back, (bits & 0x8000u) | 0x7e00u) << bits;  // a quiet NaN of the same sign
    } else {
      EXPECT_EQ(back, bits);
    }
  }
}

// Between two neighbours, on the middle and next to it on either side: all that rounding can do.
TEST(Half, RoundsToTheNearestAndTiesToEven) {
  for (unsigned bits = 0; bits < 0x7bffu; ++bits) {
    const auto below = float_from_half(u16(bits)), above = float_from_half(u16(bits + 1));
    const float middle = below + (above - below) / 2;  // exact: float has bits to spare
    const unsigned even = bits % 2 == 0 ? bits : bits + 1;
    EXPECT_EQ(half_from_float(middle), even) << bits;
    EXPECT_EQ(half_from_float(-middle), even | 0x8000u) << bits;
    EXPECT_EQ(half_from_float(std::nextafter(middle, 0.0f)), bits);
    EXPECT_EQ(half_from_float(std::nextafter(middle, kInfinity)), bits + 1);
  }
}

TEST(Half, OverflowsToInfinityFromHalfAStepAboveTheLargest) {
  EXPECT_EQ(half_from_float(65504.0f), 0x7bffu);
  EXPECT_EQ(half_from_float(std::nextafter(65520.0f, 0.0f)), 0x7bffu);
  EXPECT_EQ(half_from_float(65520.0f), 0x7c00u);
  EXPECT_EQ(half_from_float(-1e30f), 0xfc00u);
  EXPECT_EQ(half_from_float(kInfinity), 0x7c00u);
}

TEST(Half, UnderflowsToZeroOfTheSameSign) {
  EXPECT_EQ(half_from_float(0x1p-25f), 0u);  // half the smallest: a tie, and 0 is even
  EXPECT_EQ(half_from_float(std::nextafter(0x1p-25f, 1.0f)), 1u);
  EXPECT_EQ(half_from_float(-std::numeric_limits<float>::denorm_min()), 0x8000u);
}

TEST(BFloat16, EveryPatternComesBackFromFloat) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const float value = float_from_bf16(u16(bits));
    EXPECT_EQ(std::bit_cast<std::uint32_t>(value), bits << 16);
    const unsigned back = bf16_from_float(value);
    EXPECT_EQ(back, std::isnan(value) ? bits | 0x40u : bits);
  }
}

TEST(BFloat16, RoundsToTheNearestAndTiesToEven) {
  for (unsigned bits = 0; bits < 0x7f80u; ++bits) {
    const std::uint32_t middle = bits << 16 | 0x8000u;
    const auto rounded = [](std::uint32_t pattern) {
      return unsigned{bf16_from_float(std::bit_cast<float>(pattern))};
    };
    EXPECT_EQ(rounded(middle), bits % 2 == 0 ? bits : bits + 1);
    EXPECT_EQ(rounded(middle - 1), bits);
    EXPECT_EQ(rounded(middle + 1), bits + 1);  // above the largest: infinity
  }
}

TEST(BFloat16, NaNStaysNaN) {
  EXPECT_TRUE(std::isnan(float_from_bf16(bf16_from_float(kNaN))));
  // One whose payload lies in the bits that are cut off.
  EXPECT_TRUE(std::isnan(float_from_bf16(bf16_from_float(std::bit_cast<float>(0x7f800001u)))));
}

}  // namespace
}  // namespace qaq
