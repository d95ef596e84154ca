// Two runs held against each other: by hand, and against what replays report of themselves.
#include "core/analysis/comparison.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "core/analysis/array_deltas.h"
#include "core/policy/qaq_params.h"
#include "core/replay/replay.h"
#include "tests/support/refusal.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

using Capture = std::shared_ptr<const CaptureView>;

Capture capture_of(const SyntheticShape& shape = {}) {
  return std::make_shared<const MemoryCapture>(synthetic_capture(shape));
}

QaqParams params_of(double target) {
  QaqParams params;
  params.key.target_quantization_error = params.value.target_quantization_error = target;
  return params;
}

ComparedRun run_of(const Capture& capture, double target, std::int64_t prefix = 16) {
  return {
      .name = "run", .capture = capture, .replay = replay(*capture, {params_of(target), prefix})};
}

const MetricDelta& metric_of(const Comparison& comparison, const std::string& name) {
  const auto at = std::ranges::find(comparison.metrics, name, &MetricDelta::name);
  if (at == comparison.metrics.end()) throw std::runtime_error("no metric " + name);
  return *at;
}

PositionScore score_of(double kl, bool same_top) {
  PositionScore out;
  out.kl = kl;
  out.same_top = same_top;
  out.nll = kl + 1;
  return out;
}

TEST(Comparison, MetricsAreThoseThatTheReplaysReport) {
  const Capture capture = capture_of();
  const ComparedRun a = run_of(capture, 3), b = run_of(capture, 0.01);
  const Comparison both = compare(a, b);
  EXPECT_EQ(both.remark, "");
  EXPECT_EQ(both.prefix, 16);
  const auto of_a = metrics_json(*a.replay), of_b = metrics_json(*b.replay);
  for (const char* name :
       {"key_quantization_error", "value_quantization_error", "output_error", "key_average_n_bits",
        "value_average_n_bits", "ratio_packed", "ratio_nominal"}) {
    const MetricDelta& metric = metric_of(both, name);
    const double x = of_a.at(name), y = of_b.at(name);
    EXPECT_NEAR(metric.a, x, 1e-6 * x) << name;
    EXPECT_NEAR(metric.b, y, 1e-6 * y) << name;
    EXPECT_NE(x, y) << name;
    EXPECT_DOUBLE_EQ(metric.absolute(), metric.b - metric.a);
    EXPECT_DOUBLE_EQ(*metric.relative(), (metric.b - metric.a) / metric.a);
  }
}

TEST(Comparison, SmallerErrorsAndLargerRatiosAreBetter) {
  const Capture capture = capture_of();
  const Comparison both = compare(run_of(capture, 3), run_of(capture, 0.01));
  EXPECT_EQ(metric_of(both, "output_error").word(), DeltaWord::better);
  EXPECT_EQ(metric_of(both, "key_quantization_error").word(), DeltaWord::better);
  EXPECT_EQ(metric_of(both, "key_mean_bits").word(), DeltaWord::worse);
  EXPECT_EQ(metric_of(both, "packed_bytes").word(), DeltaWord::worse);
  EXPECT_EQ(metric_of(both, "ratio_packed").word(), DeltaWord::worse);
}

TEST(Comparison, ARunIsTheSameAsItself) {
  const Capture capture = capture_of();
  const Comparison both = compare(run_of(capture, 3), run_of(capture, 3));
  EXPECT_TRUE(both.settings.empty());
  ASSERT_GE(both.metrics.size(), 10u);
  for (const MetricDelta& metric : both.metrics) {
    EXPECT_EQ(metric.word(), DeltaWord::same) << metric.name;
    EXPECT_EQ(metric.absolute(), 0) << metric.name;
    if (!metric.interval) continue;
    EXPECT_EQ(metric.interval->low, 0);
    EXPECT_EQ(metric.interval->high, 0);
  }
}

TEST(Comparison, SwappingTheRunsTurnsTheSigns) {
  const Capture capture = capture_of();
  const ComparedRun a = run_of(capture, 3), b = run_of(capture, 0.1);
  const Comparison there = compare(a, b), back = compare(b, a);
  ASSERT_EQ(there.metrics.size(), back.metrics.size());
  for (std::size_t i = 0; i < there.metrics.size(); ++i) {
    const MetricDelta &x = there.metrics[i], &y = back.metrics[i];
    EXPECT_EQ(x.absolute(), -y.absolute()) << x.name;
    if (!x.interval) continue;
    EXPECT_NEAR(x.interval->low, -y.interval->high, 1e-12) << x.name;
    EXPECT_NEAR(x.interval->high, -y.interval->low, 1e-12) << x.name;
  }
}

TEST(Comparison, TheWholeCacheIsARunThatLosesNothing) {
  const Capture capture = capture_of();
  const Comparison both = compare({.name = "whole", .capture = capture}, run_of(capture, 3));
  EXPECT_EQ(metric_of(both, "output_error").a, 0);
  EXPECT_EQ(metric_of(both, "key_quantization_error").a, 0);
  EXPECT_FALSE(metric_of(both, "output_error").relative());
  EXPECT_EQ(metric_of(both, "output_error").word(), DeltaWord::worse);
  const auto level = std::ranges::find(both.settings, "key.level", &SettingDelta::name);
  ASSERT_NE(level, both.settings.end());
  EXPECT_EQ(level->a, "no-quantization");
  EXPECT_EQ(level->b, "head");
}

TEST(Comparison, SettingsThatDifferAreNamed) {
  const Capture capture = capture_of();
  const Comparison both = compare(run_of(capture, 3, 16), run_of(capture, 0.5, 12));
  ASSERT_EQ(both.settings.size(), 3u);
  EXPECT_EQ(both.settings[0].name, "key.target_quantization_error");
  EXPECT_EQ(both.settings[0].a, "3");
  EXPECT_EQ(both.settings[0].b, "0.5");
  EXPECT_EQ(both.settings[2].name, "prefix");
  EXPECT_EQ(both.prefix, 12);
  EXPECT_NE(both.remark.find("A quantizes 16 tokens and B 12"), std::string::npos) << both.remark;
}

// One layer, two KV heads, bits and errors that are counted by hand over the three common tokens.
TEST(Comparison, CellsAreOfTheTokensThatBothQuantized) {
  const SyntheticShape shape{.n_layers = 1, .n_tokens = 8};
  const Capture capture = capture_of(shape);
  const auto made = [&](std::int64_t prefix, std::uint8_t bits, float error) {
    const auto out =
        std::const_pointer_cast<ReplayResult>(replay(*capture, {params_of(1), prefix}));
    for (std::int64_t head = 0; head < 2; ++head) {
      for (std::int64_t t = 0; t < 8; ++t) {
        out->key.bits(0, head, t) = t < prefix ? static_cast<std::uint8_t>(bits + t) : 16;
        out->key.error(0, head, t) = t < prefix ? error * static_cast<float>(1 + t) : 0;
      }
    }
    return out;
  };
  const Comparison both = compare({.name = "a", .capture = capture, .replay = made(5, 1, 0.5f)},
                                  {.name = "b", .capture = capture, .replay = made(3, 4, 0.25f)});
  EXPECT_EQ(metric_of(both, "key_mean_bits").a, 2);  // 1, 2, 3
  EXPECT_EQ(metric_of(both, "key_mean_bits").b, 5);  // 4, 5, 6
  EXPECT_EQ(metric_of(both, "key_quantization_error").a, 1);
  EXPECT_EQ(metric_of(both, "key_quantization_error").b, 0.5);
}

TEST(Comparison, RowsArePairedByPosition) {
  const SyntheticShape shape{.n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = 6};
  const Capture capture = capture_of(shape);
  const auto made = [&](std::vector<float> rows) {
    const auto out = std::const_pointer_cast<ReplayResult>(replay(*capture, {params_of(1), 3}));
    for (std::int64_t row = 0; row < 6; ++row) {
      out->output_error(0, 0, row) = rows[static_cast<std::size_t>(row)];
    }
    return out;
  };
  const float none = std::nanf("");
  const Comparison both =
      compare({.name = "a", .capture = capture, .replay = made({none, none, none, 1, 2, 3})},
              {.name = "b", .capture = capture, .replay = made({none, none, none, none, 1, 2})});
  const MetricDelta& error = metric_of(both, "output_error");
  EXPECT_EQ(error.n, 2) << "a row that one of them did not replay tells nothing";
  EXPECT_EQ(error.a, 2.5);
  EXPECT_EQ(error.b, 1.5);
  EXPECT_EQ(error.interval->low, -1) << "each pair differs by 1, whatever is drawn";
  EXPECT_EQ(error.interval->high, -1);
  EXPECT_EQ(error.word(), DeltaWord::better);
}

TEST(Comparison, AttentionErrorsOfARowAreSumsOverItsKeys) {
  const Capture capture = capture_of({.n_layers = 1, .n_heads = 1, .n_kv_heads = 1});
  const ComparedRun a = run_of(capture, 3), b = run_of(capture, 0.01);
  const MetricDelta error = metric_of(compare(a, b), "row_attention_error");
  EXPECT_EQ(error.n, 8);
  double sum = 0;
  for (std::int64_t row = 16; row < 24; ++row) sum += a.replay->attention_error(0, 0, row);
  EXPECT_NEAR(error.a, sum / 8, 1e-12);
}

TEST(Comparison, WhatLiesWithinTheNoiseIsTheSame) {
  const Capture capture = capture_of();
  ComparedRun a = run_of(capture, 3), b = run_of(capture, 3);
  for (int i = 0; i < 8; ++i) {
    a.scores.push_back(score_of(1, true));
    b.scores.push_back(score_of(i % 2 == 0 ? 3 : -0.5, i != 0));
  }
  const Comparison both = compare(a, b);
  const MetricDelta& kl = metric_of(both, "kl_mean");
  EXPECT_EQ(kl.a, 1);
  EXPECT_EQ(kl.b, 1.25);
  EXPECT_EQ(kl.n, 8);
  EXPECT_LT(kl.interval->low, 0);
  EXPECT_GT(kl.interval->high, 0);
  EXPECT_TRUE(kl.in_noise());
  EXPECT_EQ(kl.word(), DeltaWord::same);
  const MetricDelta& top = metric_of(both, "same_top");
  EXPECT_FALSE(top.less_is_better);
  EXPECT_EQ(top.b, 0.875);
}

TEST(Comparison, ScoresBeginBehindTheirOwnPrefix) {
  const Capture capture = capture_of();
  ComparedRun a = run_of(capture, 3, 16), b = run_of(capture, 3, 18);
  for (int i = 16; i < 24; ++i) a.scores.push_back(score_of(i, true));
  for (int i = 18; i < 24; ++i) b.scores.push_back(score_of(i + 1, true));
  const MetricDelta kl = metric_of(compare(a, b), "kl_mean");
  EXPECT_EQ(kl.n, 6);
  EXPECT_EQ(kl.a, 20.5);
  EXPECT_EQ(kl.absolute(), 1);
}

TEST(Comparison, TwoCapturesHaveTheirNumbersCompared) {
  const SyntheticShape shape{.n_layers = 2, .n_tokens = 300};  // more rows than are held at a time
  const auto a = std::make_shared<const MemoryCapture>(synthetic_capture(shape, 1));
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  arrays.value[1](1, 17, 3) += 0.75f;
  arrays.attention[0](2, 299, 280) += 0.5f;
  const auto b = std::make_shared<const MemoryCapture>(synthetic_info(shape), std::move(arrays));
  const Comparison both = compare({.name = "a", .capture = a}, {.name = "b", .capture = b});
  EXPECT_TRUE(both.metrics.empty());
  EXPECT_TRUE(both.settings.empty());
  const std::vector<ArrayDelta> arrays_of = array_deltas(both.alignment, *a, *b, {});
  ASSERT_EQ(arrays_of.size(), 4u);
  const ArrayDelta &key = arrays_of[0], &value = arrays_of[1], &attention = arrays_of[3];
  EXPECT_EQ(key.name, "key");
  EXPECT_EQ(key.max_difference, 0);
  EXPECT_GT(key.rms_a, 0);
  EXPECT_EQ(key.rms_a, key.rms_b);
  EXPECT_EQ(value.name, "value");
  EXPECT_NEAR(value.max_difference, 0.75, 1e-6);
  EXPECT_EQ(value.layer, 1);
  EXPECT_EQ(value.head, 1);
  EXPECT_EQ(value.token, 17);
  EXPECT_NEAR(value.rms_difference, 0.75 / std::sqrt(2.0 * 2 * 300 * 8), 1e-6);
  EXPECT_EQ(attention.name, "attention");
  EXPECT_NEAR(attention.max_difference, 0.5, 1e-6);
  EXPECT_EQ(attention.layer, 0);
  EXPECT_EQ(attention.head, 2);
  EXPECT_EQ(attention.token, 299);
}

TEST(Comparison, WhatCannotBeAlignedIsRefused) {
  const ComparedRun a{.name = "a.h5", .capture = capture_of()};
  const ComparedRun b{.name = "b.h5", .capture = capture_of({.n_kv_heads = 1})};
  EXPECT_EQ(refusal([&] { compare(a, b); }).rfind("a.h5, b.h5: the models differ: ", 0), 0u);
}

TEST(Comparison, TableAndJsonHaveARowAMetric) {
  const Capture capture = capture_of();
  const Comparison both = compare(run_of(capture, 3), run_of(capture, 0.01));
  const Table table = delta_table(both);
  EXPECT_EQ(table.n_rows, std::ssize(both.metrics));
  const auto json = comparison_json(both);
  EXPECT_EQ(json["metrics"].size(), both.metrics.size());
  const auto& error = json["metrics"]["output_error"];
  EXPECT_EQ(error["word"], "better");
  EXPECT_EQ(error["absolute"].get<double>(), error["b"].get<double>() - error["a"].get<double>());
  EXPECT_LE(error["interval"][0].get<double>(), error["absolute"].get<double>());
  EXPECT_GE(error["interval"][1].get<double>(), error["absolute"].get<double>());
  EXPECT_TRUE(json["metrics"]["packed_bytes"]["interval"].is_null());
}

}  // namespace
}  // namespace qaq::test
