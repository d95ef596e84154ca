// Numbers of A and of B in the same bins.
#include "core/analysis/comparison_histogram.h"

#include <gtest/gtest.h>
#include <set>

#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

constexpr std::int64_t kPrefix = 16;

CountedRun run_of(const std::shared_ptr<const CaptureView>& capture, Level level, int bits = 2) {
  QaqParams params;
  params.key.level = params.value.level = level;
  params.key.use_attentions = params.value.use_attentions = false;
  params.key.n_bits_uniform = params.value.n_bits_uniform = bits;
  params.key.outliers_ratio = params.value.outliers_ratio = 0;
  return {.name = "run", .capture = capture, .options = {params, kPrefix}};
}

class ComparisonHistogram : public testing::Test {
 protected:
  Chart of(const CountedRun& a, const CountedRun& b, std::int32_t layer = 0) {
    return comparison_histogram(a, b, align(a.capture->info(), b.capture->info()),
                                {CacheSide::value, layer, 1});
  }
  std::shared_ptr<const CaptureView> capture =
      std::make_shared<const MemoryCapture>(synthetic_capture({}));
};

TEST_F(ComparisonHistogram, CountsWhatEachSettingLeavesInTheSameBins) {
  const CountedRun exact = run_of(capture, Level::no_quantization);
  const CountedRun coarse = run_of(capture, Level::layer);
  const Chart chart = of(exact, coarse);
  const auto& series = chart.panels.at(0).series;
  ASSERT_EQ(series.size(), 2u);
  std::set<double> used[2];
  double sums[2] = {0, 0}, width = series[0].points[1].x - series[0].points[0].x;
  for (std::size_t bin = 0; bin < series[0].points.size(); ++bin) {
    EXPECT_EQ(series[0].points[bin].x, series[1].points[bin].x);
    for (const int which : {0, 1}) {
      const double y = series[static_cast<std::size_t>(which)].points[bin].y;
      sums[which] += y * width;
      if (y > 0) used[which].insert(series[0].points[bin].x);
    }
  }
  EXPECT_NEAR(sums[0], 1, 1e-9) << "every number lies in a bin";
  EXPECT_NEAR(sums[1], 1, 1e-9);
  // Of the capture itself: the share of numbers in the bin that is counted.
  const auto values = capture->value(0);
  const double from = series[0].points[60].x - width / 2;
  std::int64_t n = 0, n_here = 0;
  for (std::int64_t token = 0; token < kPrefix; ++token) {
    for (const float x : values->sub(1, token).span()) {
      ++n;
      n_here += x >= from && x < from + width;
    }
  }
  EXPECT_NEAR(series[0].points[60].y, static_cast<double>(n_here) / static_cast<double>(n) / width,
              1e-9);
  EXPECT_GT(n_here, 0);
  EXPECT_NE(used[1], used[0]) << "2 bits leave other numbers";
  const Chart alike = of(coarse, coarse);
  for (std::size_t bin = 0; bin < series[1].points.size(); ++bin) {
    EXPECT_EQ(alike.panels.at(0).series[0].points[bin].y, alike.panels[0].series[1].points[bin].y);
  }
  EXPECT_EQ(series[0].style, kComparedA);
  EXPECT_TRUE(series[1].open) << "told apart without colours";
  EXPECT_EQ(comparison_histogram_table(chart).n_rows, std::ssize(series[0].points));
}

TEST_F(ComparisonHistogram, OfALayerThatIsMissingSaysSo) {
  const CountedRun run = run_of(capture, Level::head);
  const Chart chart = of(run, run, 999);
  EXPECT_TRUE(chart.panels.at(0).series.empty());
  EXPECT_EQ(chart.notes.size(), 1u);
  EXPECT_EQ(comparison_histogram_table(chart).n_rows, 0);
}

}  // namespace
}  // namespace qaq::test
