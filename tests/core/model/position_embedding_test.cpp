#include "core/model/position_embedding.h"

#include <cmath>
#include <gtest/gtest.h>

#include "core/model/score_rule.h"

namespace qaq {
namespace {

TEST(PositionEmbedding, IsFoundByItsName) {
  for (const PositionEmbedding each : kPositionEmbeddings) {
    EXPECT_EQ(position_embedding_named(name_of(each)), each);
  }
  EXPECT_EQ(position_embedding_named("rotary"), std::nullopt);
  EXPECT_EQ(position_embedding_named(""), std::nullopt);
}

TEST(AlibiSlopes, OfAPowerOfTwoAreItsRoots) {
  EXPECT_EQ(alibi_slopes(1), (std::vector<float>{0x1p-8f}));
  EXPECT_EQ(alibi_slopes(8), (std::vector<float>{0x1p-1f, 0x1p-2f, 0x1p-3f, 0x1p-4f, 0x1p-5f,
                                                 0x1p-6f, 0x1p-7f, 0x1p-8f}));
}

// BLOOM-176B has 112 heads, BLOOM-7B1 32. The rest are every other one of twice as many heads.
TEST(AlibiSlopes, OfOtherNumbersAreFilledFromThePowerAbove) {
  const auto of_6 = alibi_slopes(6);
  const std::vector<float> expected{0x1p-2f, 0x1p-4f, 0x1p-6f, 0x1p-8f, 0x1p-1f, 0x1p-3f};
  EXPECT_EQ(of_6, expected);
  const auto of_112 = alibi_slopes(112);
  ASSERT_EQ(of_112.size(), 112u);
  EXPECT_FLOAT_EQ(of_112[0], std::exp2(-0.125f));
  EXPECT_FLOAT_EQ(of_112[63], 0x1p-8f);
  EXPECT_FLOAT_EQ(of_112[64], std::exp2(-0.0625f));
  EXPECT_FLOAT_EQ(of_112[111], std::exp2(-0.0625f * 95));
}

// Equal products: what is left is exp(-slope distance), worked out by hand.
TEST(ScoreRule, AlibiTakesItsSlopeForEachTokenOfDistance) {
  std::vector<float> row{3, 3, 3, 3, 7};
  to_attention(row, 4, 16, {.alibi_slope = std::log(2.0f)});
  const std::vector<float> expected{1 / 15.0f, 2 / 15.0f, 4 / 15.0f, 8 / 15.0f, 0};
  for (std::size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(row[i], expected[i], 1e-7f) << i;
}

TEST(ScoreRule, AlibiWithinAWindow) {
  std::vector<float> row{9, 9, 3, 3};
  to_attention(row, 4, 16, {.window = 2, .alibi_slope = std::log(2.0f)});
  const std::vector<float> expected{0, 0, 1 / 3.0f, 2 / 3.0f};
  for (std::size_t i = 0; i < row.size(); ++i) EXPECT_NEAR(row[i], expected[i], 1e-7f) << i;
}

TEST(ScoreRule, HeadsHaveTheirOwnSlopes) {
  const std::vector<float> slopes{0.5f, 0.25f};
  const LayerScoreRule rule{.window = 3, .alibi_slopes = slopes};
  EXPECT_EQ(rule.of_head(1).alibi_slope, 0.25f);
  EXPECT_EQ(rule.of_head(1).window, 3);
  EXPECT_EQ(LayerScoreRule{}.of_head(1).alibi_slope, 0.0f);
}

}  // namespace
}  // namespace qaq
