// What an inspector says of a cell: `qaq explain`'s numbers, and what follows from them.
#include "core/analysis/cell_summary.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

#include "core/analysis/tables.h"
#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

const BitStep* step_named(const CellSummary& x, const std::string& symbol) {
  const auto& steps = x.explanation.bits.steps;
  const auto at = std::ranges::find(steps, symbol, &BitStep::symbol);
  return at == steps.end() ? nullptr : &*at;
}

CellSummary summary_of(const CaptureView& capture, const ReplayOptions& options,
                       const CellAddress& cell) {
  return summarize_cell(capture, options.params.gqa_reduce, explain_cell(capture, options, cell));
}

ReplayOptions prefix_of(std::int64_t prefix) {
  ReplayOptions options;
  options.prefix = prefix;
  return options;
}

TEST(CellSummary, WindowMaximumIsTheImportanceThatBitsFollowFrom) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 20}, 5);
  const ReplayOptions options = prefix_of(15);
  for (std::int64_t token = 0; token < 15; ++token) {
    const CellAddress cell{CacheSide::value, 1, 1, token};
    const CellSummary x = summary_of(capture, options, cell);
    ASSERT_TRUE(x.window_max);
    EXPECT_EQ(double{*x.window_max}, step_named(x, "S_u")->value);
    // And what comes after it, by hand.
    const auto scores = capture.attention(1, 15, 5);
    float later = 0;
    std::int64_t step = 0;
    for (std::int64_t row = 0; row < 5; ++row) {
      for (const std::int64_t head : {2, 3}) {
        if ((*scores)(head, row, token) > later) {
          later = (*scores)(head, row, token);
          step = 15 + row;
        }
      }
    }
    EXPECT_EQ(x.later_max, later);
    EXPECT_EQ(x.later_step, step);
    EXPECT_NEAR(*x.sigma_bound, x.explanation.bits.choice.error / std::sqrt(3.0), 1e-12);
    EXPECT_NEAR(*x.mid_range,
                0.5 * (double{x.explanation.stats.min} + double{x.explanation.stats.max}), 1e-12);
  }
}

TEST(CellSummary, CountsClippedValues) {
  // Around the mean, what lies far above it is clipped: 1 of 4 values at 2 bits.
  const SyntheticShape shape{
      .n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = 2, .head_dim = 4};
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  const std::vector<float> values{0, 0, 0, 8};  // mean 2, step 2: codes -2 .. 1 reach from -2 to 4
  std::ranges::copy(values, arrays.key[0].sub(0, 0).data());
  const MemoryCapture capture(synthetic_info(shape), std::move(arrays));
  ReplayOptions options;
  options.params.key.use_attentions = false;
  options.params.key.n_bits_uniform = 2;
  options.params.key.outliers_ratio = 0;
  const CellAddress cell{CacheSide::key, 0, 0, 0};
  const CellSummary x = summary_of(capture, options, cell);
  EXPECT_EQ(x.clip_share, 0.25);
  EXPECT_FALSE(x.sigma_bound) << "fixed bits follow from no bound";
  EXPECT_NEAR(x.explanation.rms_error, 2, 1e-6) << "4 lost of one value in four";
  options.params.key.range_rule = RangeChoice::midpoint;
  EXPECT_EQ(summary_of(capture, options, cell).clip_share, 0) << "segments span the range";
}

TEST(CellSummary, ExactCellsHaveAttentionAlone) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 20}, 5);
  const CellSummary x = summary_of(capture, prefix_of(15), {CacheSide::key, 0, 0, 17});
  EXPECT_FALSE(x.explanation.why_exact.empty());
  EXPECT_FALSE(x.mid_range);
  EXPECT_FALSE(x.clip_share);
  EXPECT_TRUE(x.later_max);
}

TEST(CellSummary, WithoutTheRowsThereIsNoMaximum) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 20}, 5, /*window=*/8);
  const CellSummary all = summary_of(capture, {}, {CacheSide::key, 0, 0, 3});
  EXPECT_TRUE(all.window_max);
  EXPECT_FALSE(all.later_max) << "nothing is captured behind the whole";
}

}  // namespace
}  // namespace qaq::test
