// The inner loops against the same for one value at a time, on every vector length that this
// machine has.
#include "core/quant/lane_kernels.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <vector>

#include "tests/support/simd_targets.h"

namespace qaq {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t kLengths[] = {1, 3, 8, 17, 64, 130};

struct Numbers {
  explicit Numbers(unsigned seed) : bits(seed) {}
  std::vector<float> operator()(std::size_t n, float least, float most) {
    std::uniform_real_distribution<float> uniform(least, most);
    std::vector<float> out(n);
    for (float& x : out) x = uniform(bits);
    return out;
  }
  std::mt19937 bits;
};

TEST(LaneKernels, StepsOfEachValue) {
  test::with_each_simd_target([] {
    Numbers numbers(1);
    for (const std::size_t n : kLengths) {
      const auto in = numbers(n, -9, 9), base = numbers(n, -8, 0), scale = numbers(n, 0.1f, 3);
      std::vector<float> highest(n, 7);
      highest[n / 2] = 0;
      std::vector<float> out(n, kNan);
      const LaneGrids grids{base.data(), scale.data(), highest.data()};
      quantize_lanes(grids, in, out.data());
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(out[i], decode(grids.grid(i), encode(grids.grid(i), in[i]))) << n;
      }
    }
  });
}

TEST(LaneKernels, CentroidsOfEachValue) {
  test::with_each_simd_target([] {
    Numbers numbers(2);
    for (const std::size_t n : kLengths) {
      const auto lower = numbers(n, -4, -1), below = numbers(n, -5, -3);
      auto upper = numbers(n, 1, 4);
      const auto above = numbers(n, 3, 5);
      upper[n / 2] = lower[n / 2];  // no spread
      auto in = numbers(n, -6, 6);
      in[0] = (upper[0] + lower[0]) / 2;  // half-way between the second and the third
      const std::vector<float> stands_for{-0.9f, -0.25f, 0.25f, 0.8f}, middles{-0.5f, 0, 0.6f};
      const LaneEnds ends{lower.data(), upper.data(), below.data(), above.data()};
      std::vector<float> out(n, kNan);
      std::int64_t kept = 0;
      EXPECT_EQ(quantize_lanes(ends, {stands_for, middles}, in, out.data()),
                std::ranges::count_if(in, [&](const float& x) {
                  return ends.keeps(static_cast<std::size_t>(&x - in.data()), x);
                }));
      for (std::size_t i = 0; i < n; ++i) {
        ASSERT_EQ(out[i], quantize_lane(ends, {stands_for, middles}, i, in[i])) << n << " " << i;
        kept += out[i] == in[i];
      }
      EXPECT_TRUE(n < 64 || kept > 0);
    }
  });
}

}  // namespace
}  // namespace qaq
