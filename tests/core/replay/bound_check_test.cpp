// Promises against what is achieved: the table of section 4.4 of the mathematics, and what the
// report owes its reader.
#include "core/replay/bound_check.h"

#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

const PromiseReport& report_of(const BoundCheck& check, Promise promise) {
  for (const PromiseReport& report : check.promises) {
    if (report.promise == promise) return report;
  }
  throw std::logic_error("no such promise");
}

// Layers 0, 1, 14 and 29 of SmolLM2, 36 query heads; the first 64 tokens quantized at head level,
// no outliers, bits up to 16; rows 64 to 94.
class Table44 : public ::testing::Test {
 protected:
  // Keys alone. The paper's and the code's bits do not depend on the window, which there only
  // forces tokens; the table was made without forced tokens.
  static BoundCheckOptions keys(Variant variant, double e, int n = 1) {
    BoundCheckOptions out;
    out.replay.prefix = 64;
    out.replay.params.value.level = Level::no_quantization;
    QaqSideParams& key = out.replay.params.key;
    key.variant = variant;
    key.target_quantization_error = e;
    key.outliers_ratio = 0;
    key.n_bits_min = 0;
    key.n_bits_max = 16;
    key.last_n_attentions = n;
    key.q_norm = RealOrAuto::automatic();
    return out;
  }
  // The table's bound rows hold for the rows that they are checked on: T_vis = 95.
  static BoundCheckOptions bound_row(double e, int n = 5) {
    BoundCheckOptions out = keys(Variant::bound, e, n);
    out.replay.params.key.horizon_tokens = 31;
    return out;
  }
  static BoundCheckOptions values(Variant variant, double e, int n) {
    BoundCheckOptions out = keys(variant, e, n);
    std::swap(out.replay.params.key, out.replay.params.value);
    return out;
  }

  std::shared_ptr<const BoundCheck> check(const BoundCheckOptions& options) const {
    return check_bound(*capture_, options);
  }

  // A printed figure: within a tenth, or one of its last printed digit.
  static void expect_printed(double ours, double printed, double last_digit, const char* what) {
    EXPECT_NEAR(ours, printed, std::max(0.1 * printed, last_digit)) << what;
  }
  struct Printed {
    double bits, row_rms, percent_over, worst;
    double row_digit = 0.01, percent_digit = 1, worst_digit = 0.1;
  };
  void expect_line(const BoundCheckOptions& options, const Printed& line) const {
    const auto result = check(options);
    const PromiseReport& scores = report_of(*result, Promise::scores);
    const Achieved& all = scores.all.replayed;
    EXPECT_EQ(all.n_rows, 36 * 31);
    EXPECT_EQ(scores.cells.size(), 36u);
    expect_printed(result->key_mean_bits, line.bits, 0.01, "average bits");
    expect_printed(all.row_rms / scores.e, line.row_rms, line.row_digit, "row RMS over e");
    expect_printed(100.0 * static_cast<double>(all.n_over) / static_cast<double>(all.n_rows),
                   line.percent_over, line.percent_digit, "rows over e, %");
    expect_printed(all.entry_rms / scores.e, line.worst, line.worst_digit,
                   "worst entry RMS over e");
  }

  std::shared_ptr<const MemoryCapture> capture_ =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
};

BoundCheckOptions with_rule(BoundCheckOptions options, RangeChoice rule) {
  options.replay.params.key.range_rule = rule;
  return options;
}

TEST_F(Table44, ReferenceBits) {
  expect_line(keys(Variant::reference, 0.01), {5.89, 16.0, 86, 35.8, 0.1});
  expect_line(with_rule(keys(Variant::reference, 0.01), RangeChoice::midpoint),
              {5.89, 1.80, 53, 3.5});
}

TEST_F(Table44, PaperBits) {
  expect_line(keys(Variant::paper, 0.01), {6.82, 0.84, 16, 1.6});
  expect_line(with_rule(keys(Variant::paper, 0.01), RangeChoice::mean_centred),
              {6.82, 15.4, 78, 34.3, 0.1});
}

TEST_F(Table44, BoundRow) {
  expect_line(bound_row(0.01), {8.13, 0.23, 1.0, 0.40, 0.01, 0.1, 0.01});
}

TEST_F(Table44, BoundRowThatSeesTheFuture) {
  BoundCheckOptions options = bound_row(0.01, 1);
  options.see_future = true;
  expect_line(options, {8.25, 0.10, 0.0, 0.15, 0.01, 0.04, 0.01});
}

TEST_F(Table44, BoundEntry) {
  BoundCheckOptions options = keys(Variant::bound, 0.01);
  options.replay.params.key.bound_target = BoundTarget::entry;
  expect_line(options, {8.52, 0.31, 1.0, 0.83, 0.01, 0.1, 0.01});
}

// Whatever is kept exactly errs by nothing, and the range is of the rest: the promise is of any
// rule.
TEST_F(Table44, BoundRowKeepsItsPromiseWithOutliersByDeviation) {
  for (const double n_sigma : {1.5, 3.0}) {
    SCOPED_TRACE(n_sigma);
    BoundCheckOptions options = bound_row(0.01, 1);
    options.see_future = true;
    const double without = check(options)->key_mean_bits;
    options.replay.params.key.outlier_rule = OutlierRule::nsigma;
    options.replay.params.key.n_sigma = n_sigma;
    options.replay.params.key.max_outliers = 0.1;
    const auto result = check(options);
    EXPECT_LT(result->key_mean_bits, without) << "ranges are narrower";
    const BoundCell& all = report_of(*result, Promise::scores).all;
    EXPECT_LE(all.replayed.row_rms, 0.01);
    EXPECT_EQ(all.replayed.n_over, 0);
    EXPECT_EQ(all.n_over_unbroken, 0);
  }
}

TEST_F(Table44, TheSamePictureAtOtherBudgets) {
  const std::vector<std::array<double, 3>> printed{
      {0.003, 9.7, 1.1}, {0.03, 6.8, 0.2}, {0.1, 5.7, 0.0}};
  for (const auto& [e, bits, percent] : printed) {
    SCOPED_TRACE(e);
    const auto window = check(bound_row(e));
    expect_printed(window->key_mean_bits, bits, 0.1, "average bits");
    const Achieved& all = report_of(*window, Promise::scores).all.replayed;
    expect_printed(100.0 * static_cast<double>(all.n_over) / (36 * 31), percent, 0.1, "rows over");
    BoundCheckOptions future = bound_row(e);
    future.see_future = true;
    EXPECT_EQ(report_of(*check(future), Promise::scores).all.replayed.n_over, 0);
  }
}

TEST_F(Table44, NoBitRuleSavesTheMeanCentredQuantizer) {
  // 33 times at 8.1 bits: the worst entry, as in the table's last column.
  const auto result = check(with_rule(bound_row(0.01), RangeChoice::mean_centred));
  expect_printed(result->key_mean_bits, 8.1, 0.1, "bits");
  expect_printed(report_of(*result, Promise::scores).all.replayed.entry_rms / 0.01, 33, 1, "worst");
}

TEST_F(Table44, Values) {
  const auto rms_over = [&](const BoundCheckOptions& options) {
    return report_of(*check(options), Promise::value_outputs).all.replayed.row_rms / 0.003;
  };
  expect_printed(rms_over(values(Variant::reference, 0.003, 5)), 6.0, 0.1, "reference");
  const auto paper = check(values(Variant::paper, 0.003, 5));
  const Achieved& all = report_of(*paper, Promise::value_outputs).all.replayed;
  expect_printed(all.row_rms / 0.003, 0.59, 0.01, "paper");
  expect_printed(100.0 * static_cast<double>(all.n_over) / (36 * 31), 4.5, 0.1, "rows over e, %");
  // As the keys' row with future scores: for the rows that it is checked on.
  BoundCheckOptions future = values(Variant::bound, 0.003, 1);
  future.replay.params.value.horizon_tokens = 31;
  future.see_future = true;
  expect_printed(rms_over(future), 0.23, 0.01, "with future S_u");
  EXPECT_EQ(report_of(*check(future), Promise::value_outputs).all.replayed.n_over, 0);
}

TEST_F(Table44, OutputPromisesHoldWithTheFutureSeen) {
  BoundCheckOptions options = keys(Variant::bound, 0.01);
  options.replay.params.key.bound_target = BoundTarget::output;
  options.replay.params.value = options.replay.params.key;
  for (QaqSideParams* side : {&options.replay.params.key, &options.replay.params.value}) {
    side->horizon_tokens = 31;
  }
  options.see_future = true;
  const auto result = check(options);
  const PromiseReport& both = report_of(*result, Promise::outputs);
  EXPECT_DOUBLE_EQ(both.e, std::sqrt(2) * 0.01);
  EXPECT_TRUE(both.promised);
  for (const Promise promise : {Promise::key_outputs, Promise::value_outputs, Promise::outputs}) {
    const PromiseReport& report = report_of(*result, promise);
    EXPECT_LT(report.all.replayed.row_rms, report.e);
    EXPECT_GT(report.all.replayed.row_rms, report.e / 20) << "no promise is kept by sheer waste";
  }
}

TEST_F(Table44, MeasuredBitsRepairTheMeanCentredQuantizer) {
  BoundCheckOptions options = with_rule(bound_row(0.01, 1), RangeChoice::mean_centred);
  options.see_future = true;
  const double by_formula = report_of(*check(options), Promise::scores).all.replayed.row_rms;
  options.replay.params.key.bits_rule = BitsRule::measured;
  const auto measured = check(options);
  const PromiseReport& scores = report_of(*measured, Promise::scores);
  // Where no number of bits is enough the unit is starved, and so are the rows that fail.
  EXPECT_LE(scores.all.replayed.row_rms, by_formula);
  const auto bits_max = static_cast<std::size_t>(BoundCondition::bits_max);
  EXPECT_EQ(scores.all.conditions[bits_max].n_over, scores.all.replayed.n_over);

  options.replay.params.key.range_rule = RangeChoice::midpoint;
  const auto midpoint = check(options);
  EXPECT_EQ(report_of(*midpoint, Promise::scores).all.replayed.n_over, 0);
}

TEST_F(Table44, DrawsTellACorrelatedErrorFromAWrongFormula) {
  BoundCheckOptions options = bound_row(0.01, 1);
  options.see_future = true;
  options.n_draws = 20;
  const auto achieved = [&](RangeChoice rule) {
    options.replay.params.key.range_rule = rule;
    return report_of(*check(options), Promise::scores).all;
  };
  const BoundCell midpoint = achieved(RangeChoice::midpoint);
  EXPECT_NEAR(midpoint.drawn->row_rms / midpoint.replayed.row_rms, 1, 0.2)
      << "midpoint errs as assumed";
  EXPECT_EQ(midpoint.drawn->n_over, 0);
  const BoundCell centred = achieved(RangeChoice::mean_centred);
  EXPECT_GT(centred.replayed.row_rms, 20 * centred.drawn->row_rms) << "clipping is no noise";
}

// Small captures for everything else.
BoundCheckOptions small(std::int64_t prefix = 16) {
  BoundCheckOptions out;
  out.replay.prefix = prefix;
  for (QaqSideParams* side : {&out.replay.params.key, &out.replay.params.value}) {
    side->variant = Variant::bound;
    side->target_quantization_error = 0.05;
    side->n_bits_max = 12;
    side->last_n_attentions = 3;
  }
  out.replay.params.key.q_norm = RealOrAuto::automatic();
  return out;
}

TEST(BoundCheck, MeasuresWhatTheReplayMeasures) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 90});
  for (const std::int64_t prefix : {16, 90}) {
    const auto checked = check_bound(capture, small(prefix));
    const auto replayed = replay(capture, small(prefix).replay);
    EXPECT_EQ(checked->in_sample, prefix == 90);
    const auto rms_of = [](const NdArray<float, 3>& errors, std::int64_t layer, std::int64_t head) {
      double sum = 0;
      int n = 0;
      for (const float x : errors.sub(layer, head).span()) {
        if (!std::isnan(x)) sum += x, ++n;
      }
      return std::sqrt(sum / n);
    };
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      for (std::int64_t head = 0; head < 4; ++head) {
        const auto cell = static_cast<std::size_t>(layer * 4 + head);
        const BoundCell& scores = report_of(*checked, Promise::scores).cells[cell];
        const BoundCell& outputs = report_of(*checked, Promise::outputs).cells[cell];
        EXPECT_EQ(scores.layer, layer);
        EXPECT_EQ(scores.head, head);
        const double attention = rms_of(replayed->attention_error, layer, head);
        const double output = rms_of(replayed->output_error, layer, head);
        EXPECT_NEAR(scores.replayed.row_rms, attention, 1e-5 * attention);
        EXPECT_NEAR(outputs.replayed.row_rms, output, 1e-5 * output);
        EXPECT_LE(scores.replayed.entry_rms, scores.replayed.row_rms);
      }
    }
  }
}

TEST(BoundCheck, DrawnValueErrorsAreTheExactFormula) {
  // E(dX_d)^2 = sum S_t^2 step_t^2 / 12, without approximation (section 4.1).
  const MemoryCapture capture = synthetic_capture({.n_layers = 1, .n_tokens = 24});
  BoundCheckOptions options = small();
  options.replay.params.key.level = Level::no_quantization;
  options.replay.params.value.outliers_ratio = 0;
  options.n_draws = 2000;
  const auto result = check_bound(capture, options);
  const QaqPolicy policy(options.replay.params);
  const auto bits = replay(capture, options.replay);
  for (std::int64_t head = 0; head < 4; ++head) {
    double expected = 0;
    for (std::int64_t s = 16; s < 24; ++s) {
      for (std::int64_t t = 0; t < 16; ++t) {
        const auto row = capture.value(0)->sub(head / 2, t).span();
        const auto [min, max] = std::minmax_element(row.begin(), row.end());
        const double step = (double{*max} - *min) / std::ldexp(1, bits->value.bits(0, head / 2, t));
        const double score = capture.attention(0, s, 1)->view()(head, 0, t);
        expected += score * score * step * step / 12 / 8;
      }
    }
    const BoundCell& cell =
        report_of(*result, Promise::value_outputs).cells[static_cast<std::size_t>(head)];
    EXPECT_NEAR(cell.drawn->row_rms, std::sqrt(expected), 0.02 * std::sqrt(expected));
  }
}

TEST(BoundCheck, ThreadCountChangesNoByte) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 150});
  BoundCheckOptions options = small(100);
  options.n_draws = 3;
  std::string first;
  for (const int n_threads : {1, 2, 3}) {
    set_thread_count(n_threads);
    const std::string text = bound_check_json(*check_bound(capture, options)).dump();
    if (first.empty()) first = text;
    EXPECT_EQ(text, first);
  }
  set_thread_count(0);
  options.seed = 2;
  EXPECT_NE(bound_check_json(*check_bound(capture, options)).dump(), first);
}

std::int64_t broken(const BoundCheckOptions& options, BoundCondition condition) {
  const auto result = check_bound(synthetic_capture(), options);
  return report_of(*result, Promise::scores)
      .all.conditions[static_cast<std::size_t>(condition)]
      .n_rows;
}

TEST(BoundCheck, CountsEachConditionThatIsBroken) {
  constexpr std::int64_t kRows = 2 * 4 * 8;  // layers, heads, rows behind the prefix
  BoundCheckOptions options = small();
  options.replay.params.key.horizon_tokens = 8;

  EXPECT_EQ(broken(options, BoundCondition::horizon), 0);
  options.replay.params.key.horizon_tokens = 5;
  EXPECT_EQ(broken(options, BoundCondition::horizon), kRows / 8 * 3);
  options.replay.params.key.horizon_tokens = 8;

  options.replay.params.key.q_norm = 1e-6;
  EXPECT_EQ(broken(options, BoundCondition::query_norm), kRows);
  options.replay.params.key.q_norm = 1e6;
  EXPECT_EQ(broken(options, BoundCondition::query_norm), 0);
  EXPECT_EQ(broken(options, BoundCondition::bits_max), kRows) << "12 bits are too few for that";
  options.replay.params.key.q_norm = RealOrAuto::automatic();
  EXPECT_EQ(broken(options, BoundCondition::bits_max), 0);
  options.replay.params.key.n_bits_max = 2;
  EXPECT_EQ(broken(options, BoundCondition::bits_max), kRows);
  EXPECT_EQ(broken(options, BoundCondition::few_bits), kRows);
  options.replay.params.key.n_bits_max = 12;
  options.replay.params.key.n_bits_min = 3;
  EXPECT_EQ(broken(options, BoundCondition::few_bits), 0);

  EXPECT_EQ(broken(options, BoundCondition::first_order), 0);
  options.replay.params.key.n_bits_max = 3;
  options.replay.params.key.v_max = 1e-6;
  EXPECT_EQ(broken(options, BoundCondition::first_order), kRows);

  EXPECT_GT(broken(small(), BoundCondition::persistence), 0);
  BoundCheckOptions future = small();
  future.see_future = true;
  EXPECT_EQ(broken(future, BoundCondition::persistence), 0);
}

TEST(BoundCheck, EachPromiseRestsOnItsOwnConditions) {
  BoundCheckOptions options = small();
  const auto rests_on = [&](Promise promise) {
    const auto result = check_bound(synthetic_capture(), options);
    return report_of(*result, promise).rests_on.to_string();
  };
  // From the right: query_norm, persistence, bits_max, first_order, few_bits, horizon.
  EXPECT_EQ(rests_on(Promise::scores), "111111");
  EXPECT_EQ(rests_on(Promise::value_outputs), "110110");
  options.replay.params.key.bound_target = BoundTarget::entry;
  EXPECT_EQ(rests_on(Promise::scores), "011101");
  options.replay.params.key.variant = Variant::paper;
  EXPECT_EQ(rests_on(Promise::scores), "111101");
  EXPECT_EQ(rests_on(Promise::outputs), "111111");
}

TEST(BoundCheck, WhatCannotBeCheckedIsRefused) {
  const auto refused = [](const CaptureView& capture, const BoundCheckOptions& options) {
    try {
      check_bound(capture, options);
      return std::string("taken");
    } catch (const Error& error) {
      EXPECT_FALSE(error.text().cure.empty());
      return error.text().place;
    }
  };
  const SyntheticShape shape;
  CaptureInfo info = synthetic_info(shape);
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  info.has_queries = false;
  arrays.query.clear();
  EXPECT_EQ(refused(MemoryCapture(std::move(info), std::move(arrays)), small()), "/entry/query");

  info = synthetic_info(shape);
  info.profile = AttentionProfile::none;
  info.query_token.clear();
  arrays = synthetic_arrays(shape, 1);
  arrays.attention.clear();
  EXPECT_EQ(refused(MemoryCapture(std::move(info), std::move(arrays)), small()),
            "/entry/attention");

  BoundCheckOptions fixed = small();
  fixed.replay.params.key.use_attentions = false;
  fixed.replay.params.value.level = Level::no_quantization;
  EXPECT_EQ(refused(synthetic_capture(), fixed), "--check-bound");
}

}  // namespace
}  // namespace qaq::test
