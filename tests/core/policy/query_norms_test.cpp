#include "core/policy/query_norms.h"

#include <array>
#include <cmath>
#include <gtest/gtest.h>

namespace qaq {
namespace {

// Two KV heads with two query heads each, three tokens, D = 2. Norms by head:
// 1 4 9 | 0 16 25 || 2 2 2 | 8 8 100.
NdArray<float, 3> queries() {
  NdArray<float, 3> q({4, 3, 2});
  const std::vector<float> numbers{1, 0, 0, 2, 3, 0, 0, 0, 0, 4, 5,  0,
                                   1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 10, 0};
  std::copy(numbers.begin(), numbers.end(), q.data());
  return q;
}

std::array<float, 2> quantiles(std::int64_t n_tokens, double quantile) {
  std::array<float, 2> out{-1, -1};
  query_norm_quantiles(queries().view(), n_tokens, quantile, out);
  return out;
}

TEST(QueryNorms, AreThoseOfTheWholeGroup) {
  EXPECT_EQ(quantiles(3, 1), (std::array<float, 2>{25, 100}));
  EXPECT_EQ(quantiles(3, 0), (std::array<float, 2>{0, 2}));
  // 0 1 4 9 16 25 and 2 2 2 8 8 100: half way between the third and the fourth.
  EXPECT_EQ(quantiles(3, 0.5), (std::array<float, 2>{6.5, 5}));
  // At 4.5 of 0..5.
  EXPECT_EQ(quantiles(3, 0.9), (std::array<float, 2>{20.5, 54}));
}

TEST(QueryNorms, LookAtThePrefixAlone) {
  EXPECT_EQ(quantiles(2, 1), (std::array<float, 2>{16, 8}));
  EXPECT_EQ(quantiles(1, 0.25), (std::array<float, 2>{0.25, 3.5}));
}

TEST(QueryNorms, SquaredNorm) {
  const std::array<float, 3> q{1, -2, 3};
  EXPECT_EQ(squared_norm(q), 14);
}

// By head and token of the group; KV head 1 has the same norm throughout.
TEST(QueryNorms, AveragesAreAsByHand) {
  NdArray<double, 2> norms({4, 3}, 7.25);
  const std::vector<double> first{1, 0, 2, 0.5, 3, 1};  // the larger of the two: 1 3 2
  std::copy(first.begin(), first.end(), norms.data());
  std::array<float, 2> out{};
  norm_averages(norms.view(), 3, {.beta = 0.5, .z = 2}, out);
  // Mean 1, 2, 2 and variance 0, (0 + 4 / 2) / 2, 1 / 2.
  EXPECT_FLOAT_EQ(out[0], static_cast<float>(2 + 2 * std::sqrt(0.5)));
  EXPECT_EQ(out[1], 7.25f) << "equal norms are their own average, whatever z";
  norm_averages(norms.view(), 1, {.beta = 0.5, .z = 2}, out);
  EXPECT_EQ(out[0], 1);
  // Without memory it is the newest.
  query_norms(norms.view(), 2, {.average = NormAverage{.beta = 0, .z = 5}}, out);
  EXPECT_EQ(out[0], 3);
}

}  // namespace
}  // namespace qaq
