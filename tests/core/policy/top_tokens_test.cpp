#include "core/policy/top_tokens.h"

#include <gtest/gtest.h>
#include <limits>

namespace qaq {
namespace {

using Places = std::vector<std::size_t>;

constexpr double kInfinite = std::numeric_limits<double>::infinity();

TEST(Largest, TakesTheLowerIndexOfEqualOnes) {
  const std::vector<double> numbers{2, 5, 2, 5, 1, 2};
  EXPECT_EQ(largest(numbers, 1), (Places{1}));
  EXPECT_EQ(largest(numbers, 2), (Places{1, 3}));
  EXPECT_EQ(largest(numbers, 3), (Places{0, 1, 3}));
  EXPECT_EQ(largest(numbers, 4), (Places{0, 1, 2, 3}));
}

TEST(Largest, TakesNoneAllAndInfiniteOnesFirst) {
  const std::vector<double> numbers{-kInfinite, 5, kInfinite, kInfinite};
  EXPECT_EQ(largest(numbers, 0), Places{});
  EXPECT_EQ(largest(numbers, 2), (Places{2, 3}));
  EXPECT_EQ(largest(numbers, 3), (Places{1, 2, 3}));
  EXPECT_EQ(largest(numbers, 9), (Places{0, 1, 2, 3}));
  EXPECT_EQ(largest({}, 2), Places{});
}

std::vector<std::uint8_t> kept_of(std::int64_t n, std::int64_t n_sure) {
  NdArray<double, 2> scores({2, 4});
  const std::vector<double> numbers{9, 8, 7, 6, 5, 1, 7, 2};
  std::copy(numbers.begin(), numbers.end(), scores.data());
  NdArray<std::uint8_t, 2> kept({2, 4}, 1);
  keep_best(scores.view(), n, n_sure, kept.view());
  return {kept.span().begin(), kept.span().end()};
}

TEST(KeepBest, SharesWhatIsNotSureOverTheLayer) {
  using Kept = std::vector<std::uint8_t>;
  EXPECT_EQ(kept_of(2, 2), (Kept{1, 1, 0, 0, 1, 0, 1, 0}));
  EXPECT_EQ(kept_of(2, 1), (Kept{1, 1, 1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(kept_of(2, 0), (Kept{1, 1, 1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(kept_of(3, 1), (Kept{1, 1, 1, 1, 1, 0, 1, 0}));
  EXPECT_EQ(kept_of(4, 1), Kept(8, 1));
}

}  // namespace
}  // namespace qaq
