#include "core/policy/token_pooling.h"

#include <gtest/gtest.h>

#include "core/policy/top_tokens.h"

namespace qaq {
namespace {

using Numbers = std::vector<double>;

const Numbers kNumbers{3, 0, 0, 0, 6};

TEST(TokenPooling, MicroExamples) {
  EXPECT_EQ(pooled(kNumbers, 3, Pooling::avgpool), (Numbers{1, 1, 0, 2, 2}));
  EXPECT_EQ(pooled(kNumbers, 3, Pooling::maxpool), (Numbers{3, 3, 0, 6, 6}));
  EXPECT_EQ(largest(pooled(kNumbers, 3, Pooling::avgpool), 2), (std::vector<std::size_t>{3, 4}));
}

TEST(TokenPooling, OfOneNumberAndBeyondTheEnds) {
  for (const Pooling pooling : {Pooling::avgpool, Pooling::maxpool}) {
    EXPECT_EQ(pooled(kNumbers, 1, pooling), kNumbers);
    EXPECT_EQ(pooled({}, 5, pooling), Numbers{});
  }
  EXPECT_EQ(pooled(kNumbers, 99, Pooling::maxpool), Numbers(5, 6));
  EXPECT_EQ(pooled(kNumbers, 99, Pooling::avgpool), Numbers(5, 9.0 / 99));
  // What lies behind the ends is nothing, not 0.
  EXPECT_EQ(pooled(Numbers{-1, -2}, 3, Pooling::maxpool), (Numbers{-1, -1}));
}

}  // namespace
}  // namespace qaq
