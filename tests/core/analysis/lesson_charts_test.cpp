#include "core/analysis/lesson_charts.h"

#include <gtest/gtest.h>

#include "core/analysis/paper_results.h"
#include "core/base/error.h"

namespace qaq {
namespace {

/// Of every run that a trade-off shows, by a loss of its own.
LessonData measured() {
  MeasuredRuns all;
  double loss = 0.5;
  for (const char* name : {"qaq 0.1", "qaq 0.3", "qaq 1", "qaq 3", "qaq 10", "qaq 30", "flat 1",
                           "flat 2", "flat 3", "flat 4", "flat 6", "flat 8"}) {
    all.runs.push_back({name,
                        {{"kl_mean", loss},
                         {"kl_interval", 0.6},
                         {"ratio_paper", 10 * loss},
                         {"ratio_packed", 5 * loss}}});
    loss += 0.25;
  }
  return {.measured = std::make_shared<const MeasuredRuns>(all)};
}

TEST(LessonCharts, ShowRunsWithTheirIntervalsAndThePapersRatiosAsThePapers) {
  const Chart chart = lesson_chart("tradeoff", measured());
  ASSERT_EQ(chart.panels.size(), 2u);
  const ChartSeries& qaq = chart.panels[0].series[0];
  ASSERT_EQ(qaq.points.size(), 6u);
  EXPECT_EQ(qaq.points[0].x, 5);
  EXPECT_EQ(qaq.points[0].y, 0.5);
  EXPECT_EQ(qaq.points[0].high, 1.1);
  EXPECT_EQ(qaq.points[0].low, 0.5 / 3) << "a logarithmic axis has no place for less than nothing";
  EXPECT_EQ(qaq.points[3].low, 1.25 - 0.6);
  EXPECT_EQ(chart.panels[1].series[0].points[0].x, 2.5);
  const ChartSeries& paper = chart.panels[0].series.back();
  EXPECT_EQ(paper.style, kPaperStyle);
  EXPECT_EQ(paper.points.size(), paper_numbers("fig4", "hellaswag").size());
  ASSERT_EQ(chart.panels[0].lines.size(), 1u);
  EXPECT_EQ(chart.panels[0].lines[0].at, 7.477);
}

TEST(LessonCharts, RefuseWhatIsNotThere) {
  EXPECT_THROW(lesson_chart("tradeof", measured()), Error);
  EXPECT_THROW(lesson_chart("tradeoff", {}), Error);
  EXPECT_THROW(lesson_chart("window", measured()), Error) << "its runs were not measured";
}

}  // namespace
}  // namespace qaq
