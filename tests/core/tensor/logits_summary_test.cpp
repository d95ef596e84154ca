#include "core/tensor/logits_summary.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace qaq {
namespace {

TEST(LogitsSummary, TiesGoToTheLowerId) {
  const std::vector<float> row{1, 3, 2, 3, 2, 3};
  const LogitsSummary summary = summarize_logits(row, 4);
  EXPECT_EQ(summary.argmax, 1);
  EXPECT_EQ(summary.argmax_logit, 3);
  EXPECT_EQ(summary.topk_ids, (std::vector<std::int32_t>{1, 3, 5, 2}));
  EXPECT_EQ(summary.topk_logits, (std::vector<float>{3, 3, 3, 2}));
}

TEST(LogitsSummary, LogSumExpIsExactWhereFloatsWouldOverflow) {
  // exp(1000) is no double; log(2 exp(1000)) is 1000 + log 2.
  EXPECT_FLOAT_EQ(summarize_logits(std::vector<float>{1000, 1000}, 1).logsumexp,
                  1000.0f + std::log(2.0f));
  EXPECT_FLOAT_EQ(summarize_logits(std::vector<float>{-2000}, 1).logsumexp, -2000.0f);
}

TEST(LogitsSummary, SumsInDoublePrecision) {
  // 2^24 equal logits: a float sum would stop growing at 2^24 = its own spacing of 2.
  const std::vector<float> row((1 << 24) + 3, 0.0f);
  EXPECT_FLOAT_EQ(summarize_logits(row, 1).logsumexp,
                  static_cast<float>(std::log(static_cast<double>(row.size()))));
}

TEST(LogitsSummary, AShortRowGivesFewerLogits) {
  EXPECT_EQ(summarize_logits(std::vector<float>{5, 7}, 10).topk_ids,
            (std::vector<std::int32_t>{1, 0}));
  const LogitsSummary none = summarize_logits(std::vector<float>{5, 7}, 0);
  EXPECT_TRUE(none.topk_ids.empty());
  EXPECT_EQ(none.argmax, 1);
}

TEST(LogitsSummary, TopKIsTheHeadOfTheSortedRow) {
  std::mt19937 random(11);
  std::vector<float> row(5000);
  for (float& x : row) x = static_cast<float>(random() % 400);  // many ties
  std::vector<std::int32_t> order(row.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  std::ranges::stable_sort(order, [&](std::int32_t a, std::int32_t b) {
    return row[static_cast<std::size_t>(a)] > row[static_cast<std::size_t>(b)];
  });
  order.resize(64);
  EXPECT_EQ(summarize_logits(row, 64).topk_ids, order);
}

}  // namespace
}  // namespace qaq
