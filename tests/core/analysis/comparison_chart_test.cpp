// Lines of two runs: the same numbers as the metrics of their comparison.
#include "core/analysis/comparison_chart.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

#include "core/policy/qaq_params.h"
#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

using Capture = std::shared_ptr<const CaptureView>;

Capture capture_of(const SyntheticShape& shape = {}) {
  return std::make_shared<const MemoryCapture>(synthetic_capture(shape));
}

ComparedRun run_of(const Capture& capture, double target, std::int64_t prefix = 16) {
  QaqParams params;
  params.key.target_quantization_error = params.value.target_quantization_error = target;
  return {.name = "run", .capture = capture, .replay = replay(*capture, {params, prefix})};
}

double mean_of(const ChartSeries& line) {
  double sum = 0;
  for (const ChartPoint& point : line.points) sum += point.y;
  return sum / static_cast<double>(line.points.size());
}

TEST(ComparisonChart, ItsLinesHaveTheMetricsAsTheirMeans) {
  const Capture capture = capture_of();
  const ComparedRun a = run_of(capture, 3), b = run_of(capture, 0.01);
  const Comparison both = compare(a, b);
  const std::pair<ComparedLines, const char*> lines[] = {
      {ComparedLines::output, "output_error"},
      {ComparedLines::attention, "row_attention_error"},
      {ComparedLines::key, "key_quantization_error"},
      {ComparedLines::value, "value_quantization_error"}};
  for (const auto& [which, name] : lines) {
    SCOPED_TRACE(name);
    const auto metric = std::ranges::find(both.metrics, name, &MetricDelta::name);
    ASSERT_NE(metric, both.metrics.end());
    const Chart chart = comparison_chart(a, b, both.alignment, which);
    const auto& series = chart.panels.at(0).series;
    ASSERT_EQ(series.size(), 2u);
    EXPECT_NEAR(mean_of(series[0]), metric->a, 1e-9 * metric->a);
    EXPECT_NEAR(mean_of(series[1]), metric->b, 1e-9 * metric->b);
    EXPECT_NE(metric->a, metric->b);
    EXPECT_EQ(series[0].style, kComparedA);
    EXPECT_FALSE(series[0].open);
    EXPECT_EQ(series[1].style, kComparedB);
    EXPECT_TRUE(series[1].open) << "told apart without colours";
    EXPECT_EQ(comparison_chart_table(chart).n_rows, std::ssize(series[0].points));
  }
}

TEST(ComparisonChart, IsOfWhatBothHold) {
  const Capture longer = capture_of({.n_tokens = 24}), shorter = capture_of({.n_tokens = 20});
  const ComparedRun a = run_of(longer, 3), b = run_of(shorter, 3);
  const Alignment alignment = align(longer->info(), shorter->info());
  ASSERT_TRUE(alignment.allowed());
  const Chart chart = comparison_chart(a, b, alignment, ComparedLines::output);
  for (const ChartPoint& point : chart.panels[0].series[0].points) {
    EXPECT_LT(point.x, alignment.n_tokens);
    EXPECT_GE(point.x, 16) << "behind the prefix";
  }
  EXPECT_EQ(std::ssize(chart.panels[0].series[0].points), 20 - 16);
}

TEST(ComparisonChart, NoErrorIsNoPointOfALogarithmicScale) {
  const Capture capture = capture_of();
  ComparedRun whole = run_of(capture, 3);
  QaqParams params;
  params.key.level = params.value.level = Level::no_quantization;
  whole.replay = replay(*capture, {params, 16});
  const Chart chart = comparison_chart(
      whole, run_of(capture, 3), align(capture->info(), capture->info()), ComparedLines::value);
  for (const ChartPoint& point : chart.panels[0].series[0].points) {
    EXPECT_TRUE(std::isnan(point.y));
  }
  ASSERT_EQ(chart.notes.size(), 1u);
  EXPECT_EQ(chart.notes[0], "errors of 0 lie below the logarithmic scale");
}

}  // namespace
}  // namespace qaq::test
