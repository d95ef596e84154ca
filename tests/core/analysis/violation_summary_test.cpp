// What is reported of violations, by hand and on the reference data of section 7.
#include "core/analysis/violation_summary.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/analysis/bits_deficit.h"
#include "core/replay/replayer.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

constexpr SyntheticShape kSmall{
    .n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = 4, .head_dim = 2};

TEST(ViolationSummary, ByHand) {
  CaptureInfo info = synthetic_info({.n_layers = 2, .n_heads = 2, .n_kv_heads = 1, .n_tokens = 9});
  ViolationReport report;
  report.window = 3;
  report.n_rows = 8;
  report.n_eligible = 100;
  report.violations = {{0, 1, 7, 2, 0.5f, 0.125f},
                       {0, 1, 8, 4, 0.25f, 0.0f},
                       {1, 0, 5, 2, 0.75f, 0.125f},
                       {1, 1, 5, 0, 0.5f, 0.0625f}};
  const ViolationSummary summary = summarize(report, info);
  EXPECT_EQ(
      std::vector<std::int64_t>(summary.per_head.span().begin(), summary.per_head.span().end()),
      (std::vector<std::int64_t>{0, 2, 1, 1}));
  EXPECT_EQ(summary.per_step, (std::vector<std::int64_t>{0, 0, 0, 0, 0, 2, 0, 1, 1}));
  ASSERT_EQ(summary.tokens.size(), 3u);
  EXPECT_EQ(summary.tokens[1].token, 2);
  EXPECT_EQ(summary.tokens[1].count, 2);
  EXPECT_EQ(summary.tokens[1].first_step, 5);
  EXPECT_EQ(summary.jump_ratio_p50, 6.0) << "of 4, 6, 8 and infinity";
  EXPECT_TRUE(std::isinf(*summary.jump_ratio_p99));
  EXPECT_EQ(summary.violated_mass, 2.0 / 8);

  const auto json = violations_json(report, info, {1, std::nullopt, -2, 1}, std::nullopt);
  EXPECT_EQ(json["rate"], 0.04);
  EXPECT_TRUE(json["jump_ratio_p99"].is_null());
  EXPECT_TRUE(json["persistence"].is_null());
  EXPECT_EQ(json["per_head"], nlohmann::ordered_json::parse("[[0,2],[1,1]]"));
  EXPECT_EQ(json["bits_deficit"]["count"], 3);
  EXPECT_EQ(json["bits_deficit"]["positive"], 2);
  EXPECT_EQ(json["bits_deficit"]["mean"], 0.0);
  EXPECT_EQ(json["bits_deficit"]["max"], 1);
  EXPECT_EQ(json["bits_deficit"]["histogram"]["-2"], 1);
}

TEST(ViolationSummary, NothingIsNullAndNotZero) {
  const CaptureInfo info = synthetic_info(kSmall);
  const auto json = violations_json({}, info, {}, std::nullopt);
  for (const char* key : {"jump_ratio_p50", "violated_mass", "bits_deficit"}) {
    EXPECT_TRUE(json[key].is_null()) << key;
  }
  EXPECT_EQ(json["tokens"], nlohmann::ordered_json::array());
}

TEST(ViolationSummary, OfTheNarrativePrompt) {
  const auto capture =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
  const ViolationReport report = find_violations(*capture, {}, 5);
  const ViolationSummary summary = summarize(report, capture->info());
  EXPECT_EQ(report.n_rows, 36 * 90);
  EXPECT_TRUE(std::ranges::equal(summary.per_head.sub(2).span(),
                                 std::vector<std::int64_t>{0, 5, 2, 15, 3, 5, 5, 2, 14}));
  const auto sum = [](const auto& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  };
  const auto all = static_cast<std::int64_t>(report.violations.size());
  EXPECT_EQ(sum(summary.per_head.span()), all);
  EXPECT_EQ(sum(summary.per_step), all);
  std::int64_t of_tokens = 0;
  for (const TokenViolations& own : summary.tokens) {
    of_tokens += own.count;
    EXPECT_GE(own.first_step, own.token + 5);
  }
  EXPECT_EQ(of_tokens, all);
  EXPECT_GT(*summary.jump_ratio_p50, 4);
  EXPECT_GE(*summary.jump_ratio_p99, *summary.jump_ratio_p50);
  EXPECT_GT(*summary.violated_mass, 0);
  EXPECT_LT(*summary.violated_mass, 0.05);
}

// Example 7 of section 2.9: four tokens with values 0 and 3, and the attention rows there.
MemoryCapture example_7() {
  MemoryCapture::Arrays arrays = synthetic_arrays(kSmall, 1);
  const float rows[4][4]{
      {1, 0, 0, 0}, {.5f, .5f, 0, 0}, {.25f, .25f, .5f, 0}, {.7f, .01f, .04f, .25f}};
  for (int s = 0; s < 4; ++s) {
    std::ranges::copy(rows[s], &arrays.attention[0](0, s, 0));
    arrays.value[0](0, s, 0) = 0;
    arrays.value[0](0, s, 1) = 3;
  }
  return {synthetic_info(kSmall), std::move(arrays)};
}

std::vector<std::optional<int>> deficits_of(const ViolationReport& report, std::int64_t prefix,
                                            bool use_attentions = true) {
  const MemoryCapture capture = example_7();
  ReplayOptions options;
  options.prefix = prefix;
  options.params.key.outliers_ratio = 0;
  options.params.value = {.outliers_ratio = 0,
                          .use_attentions = use_attentions,
                          .last_n_attentions = 1,
                          .target_quantization_error = 0.1,
                          .n_bits_min = 0,
                          .n_bits_max = 8};
  Replayer replayer(capture);
  return bits_deficits(report, capture.info(), replayer.plans(options).value, options.params.value);
}

TEST(BitsDeficit, IsTheFormulaWithTheScoreLessTheBitsGiven) {
  // The plan of example 7 gives 3, 1, 1 and 2 bits.
  ViolationReport report;
  report.violations = {{0, 0, 3, 1, 0.7f, 0}, {0, 0, 3, 3, 0.01f, 0}, {0, 0, 2, 2, 1.0f, 0}};
  EXPECT_EQ(deficits_of(report, 0), (std::vector<std::optional<int>>{3 - 1, 1 - 2, 4 - 1}))
      << "1.0: log2(3 / 0.34641 + 1) = 3.27";
}

TEST(BitsDeficit, IsOfTokensThatWereThereAndStepsThatCameAfter) {
  // A prefix of 3: scores 0.25, 0.25, 0.5 of its last row give 2, 2 and 3 bits.
  ViolationReport report;
  report.violations = {{0, 0, 3, 1, 0.7f, 0}, {0, 0, 3, 3, 0.7f, 0}, {0, 0, 2, 1, 0.7f, 0}};
  EXPECT_EQ(deficits_of(report, 3),
            (std::vector<std::optional<int>>{3 - 2, std::nullopt, std::nullopt}))
      << "log2(3 / 0.5714 + 1) = 2.64";
}

TEST(BitsDeficit, IsNothingWhereBitsDoNotFollowFromAttention) {
  ViolationReport report;
  report.violations = {{0, 0, 3, 1, 0.7f, 0}};
  EXPECT_EQ(deficits_of(report, 0, false), (std::vector<std::optional<int>>{std::nullopt}));
}

}  // namespace
}  // namespace qaq::test
