// Numbers below the tokens of a text.
#include "core/analysis/token_strips.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "core/analysis/maps.h"
#include "core/analysis/tables.h"
#include "core/policy/importance.h"
#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

struct Replayed {
  MemoryCapture capture = synthetic_capture({.n_tokens = 20}, 5);
  SharedReplay result;
  Heatmap attention = attention_map(capture, 1, 1, true);

  Replayed() {
    ReplayOptions options;
    options.prefix = 14;
    options.params.key.outliers_ratio = 0.3;
    options.params.value.outliers_ratio = 0.3;
    options.params.value.target_quantization_error = 0.05;
    options.params.value.n_bits_min = 0;
    options.params.value.level = Level::head;
    result = replay(capture, options);
  }
  StripInputs inputs() const {
    return {.info = &capture.info(),
            .replay = result.get(),
            .attention = &attention,
            .n_rows = 3,
            .head = StripInputs::Head{.layer = 1, .kv_head = 1}};
  }
};

TEST(TokenStrips, OfOneHeadAreItsNumbers) {
  const Replayed one;
  const TokenStrips strips = token_strips(one.inputs());
  EXPECT_EQ(strips.first_row, 11);
  EXPECT_EQ(strips.last_row, 13);
  // Importance, as the policy has it: the maximum over three rows of the group's maximum.
  const ImportanceWindow window{.prefix = 14, .n_rows = 3};
  std::vector<float> importance;
  importance_table(one.capture, window).for_each_row([&](std::span<const Cell> row) {
    if (std::get<std::int64_t>(row[0]) == 1 && std::get<std::int64_t>(row[1]) == 1) {
      importance.push_back(std::get<float>(row.back()));
    }
  });
  ASSERT_EQ(importance.size(), 14u);
  for (std::size_t t = 0; t < 14; ++t) {
    const auto token = static_cast<std::int64_t>(t);
    EXPECT_EQ(strips.key_bits[t], one.result->key.bits(1, 1, token));
    EXPECT_EQ(strips.value_bits[t], one.result->value.bits(1, 1, token));
    EXPECT_EQ(strips.attention[t], importance[t]);
  }
  for (const auto* numbers :
       {&strips.key_bits, &strips.value_bits, &strips.outliers, &strips.attention}) {
    ASSERT_EQ(numbers->size(), 20u);
    for (std::size_t t = 14; t < 20; ++t) EXPECT_TRUE(std::isnan((*numbers)[t])) << t;
  }
}

TEST(TokenStrips, OfAllHeadsAreTheWorst) {
  const Replayed one;
  StripInputs inputs = one.inputs();
  inputs.head.reset();
  const TokenStrips all = token_strips(inputs);
  for (std::int64_t token = 0; token < 14; ++token) {
    float least = 99, most = 0;
    for (std::int32_t layer = 0; layer < 2; ++layer) {
      for (std::int32_t head = 0; head < 2; ++head) {
        inputs.head = StripInputs::Head{.layer = layer, .kv_head = head};
        const TokenStrips strips = token_strips(inputs);
        least = std::min(least, strips.value_bits[static_cast<std::size_t>(token)]);
        most = std::max(most, strips.outliers[static_cast<std::size_t>(token)]);
      }
    }
    EXPECT_EQ(all.value_bits[static_cast<std::size_t>(token)], least);
    EXPECT_EQ(all.outliers[static_cast<std::size_t>(token)], most);
  }
}

TEST(TokenStrips, OutliersOfKeysAndValuesAreAdded) {
  const Replayed one;
  const TokenStrips strips = token_strips(one.inputs());
  std::vector<std::int64_t> counts(20);
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    outliers_table(one.result, one.capture.info(), TableHead{side, 1, 1})
        .for_each_row([&](std::span<const Cell> row) {
          counts[static_cast<std::size_t>(std::get<std::int64_t>(row[3]))] +=
              std::get<std::int64_t>(row[4]);
        });
  }
  EXPECT_GT(counts[3], 0);
  for (std::size_t t = 0; t < 14; ++t) EXPECT_EQ(strips.outliers[t], counts[t]);
}

TEST(TokenStrips, ViolationsAreCountedWhereTheyAre) {
  const Replayed one;
  ViolationReport report;
  report.violations = {{.layer = 1, .head = 2, .step = 9, .token = 4},
                       {.layer = 1, .head = 3, .step = 10, .token = 4},
                       {.layer = 1, .head = 1, .step = 9, .token = 5},
                       {.layer = 0, .head = 2, .step = 9, .token = 6}};
  StripInputs inputs = one.inputs();
  inputs.violations = &report;
  const auto marked = [&] {
    const auto violations = token_strips(inputs).violations;
    return std::vector<int>{violations[4], violations[5], violations[6]};
  };
  EXPECT_EQ(marked(), (std::vector<int>{2, 0, 0})) << "query heads 2 and 3 read KV head 1";
  inputs.head->query_head = 3;
  EXPECT_EQ(marked(), (std::vector<int>{1, 0, 0}));
  inputs.head.reset();
  EXPECT_EQ(marked(), (std::vector<int>{2, 1, 1}));
}

TEST(TokenStrips, OfUnitsAreTheWorstOfTheirTokens) {
  const float none = TokenStrips::kNone;
  const TokenStrips strips{.key_bits = {4, 2, 3, none},
                           .value_bits = {1, 1, 2, none},
                           .outliers = {},
                           .attention = {0.1f, 0.5f, none, none},
                           .violations = {0, 1, 2, 0}};
  const TokenStrips words = by_unit(strips, {{0, 1}, {2, 3}});
  EXPECT_EQ(words.key_bits, (std::vector<float>{2, 2, 3, 3}));
  EXPECT_EQ(words.value_bits, (std::vector<float>{1, 1, 2, 2}));
  EXPECT_TRUE(words.outliers.empty());
  EXPECT_EQ(words.attention[0], 0.5f);
  EXPECT_TRUE(std::isnan(words.attention[2]));
  EXPECT_EQ(words.violations, (std::vector<std::int32_t>{1, 1, 2, 2}));
}

}  // namespace
}  // namespace qaq::test
