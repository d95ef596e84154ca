// What figures show: rows of tables, fronts, trade-offs between files, promised errors.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/analysis/bound_charts.h"
#include "core/analysis/chart_json.h"
#include "core/analysis/chart_rows.h"
#include "core/analysis/row_table.h"
#include "core/analysis/tradeoff_chart.h"
#include "core/base/error.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

Table scores() {
  const auto real = [](const char* name) {
    return Column{.name = name, .kind = ColumnKind::real, .unit = "1"};
  };
  return table_of({{.name = "setting", .kind = ColumnKind::text},
                   {.name = "cache", .kind = ColumnKind::choice, .choices = {"key", "value"}},
                   real("ratio"),
                   real("kl")},
                  {{std::string("whole"), {}, 1.f, 0.f},
                   {std::string("flat 1"), std::int64_t{0}, 4.f, 3.f},
                   {std::string("flat 2"), std::int64_t{1}, 3.f, 1.f},
                   {std::string("flat 3"), std::int64_t{0}, 2.f, 2.f},
                   {std::string("flat 4"), std::int64_t{0}, 5.f, {}}});
}

TEST(ChartRows, AreChosenByTextAndByChoice) {
  EXPECT_EQ(rows_beginning(scores(), "setting", "flat "), (ChartRows{1, 2, 3, 4}));
  EXPECT_EQ(rows_beginning(scores(), "cache", "value"), (ChartRows{2}));
  EXPECT_EQ(all_rows(scores()), (ChartRows{0, 1, 2, 3, 4}));
}

TEST(ChartRows, AFrontGoesFromTheLeastRatioAndLeavesOutTheBeaten) {
  const ChartRows flat{1, 2, 3, 4};
  EXPECT_EQ(front_rows(scores(), flat, {"ratio", "kl", true}), (ChartRows{2, 1}))
      << "3 is beaten by 2, 4 has no KL";
  EXPECT_EQ(front_rows(scores(), flat, {"ratio", "kl", false}), (ChartRows{1}))
      << "where more is better";
}

TEST(ChartJson, LeavesOutWhatIsNotThere) {
  ChartPanel panel{.title = "t", .x = {.label = "x", .most = 2}, .y = {.label = "y"}};
  panel.series = {{.name = "s", .source = {.table = "fig4", .x = "a", .y = "b", .rows = {2, 1}}}};
  const auto json = chart_json({.columns = 1, .panels = {panel}, .notes = {"n"}});
  EXPECT_EQ(json.dump(),
            R"({"columns":1,"panels":[{"title":"t","x":{"label":"x","scale":"linear","most":2.0},)"
            R"("y":{"label":"y","scale":"linear"},"series":[{"name":"s","mark":"points","style":0,)"
            R"("table":"fig4","x":"a","y":"b","rows":[2,1]}],"lines":[]}],"notes":["n"]})");
}

TradeoffRun run(std::map<std::string, double> metrics, bool by_attention = true) {
  return {.metrics = std::move(metrics), .by_attention = by_attention};
}

TEST(Tradeoff, TakesTheFirstMetricsThatAllFilesHave) {
  const std::vector<TradeoffRuns> files{
      {.name = "ours.json",
       .runs =
           {run({{"ratio_packed", 3}, {"kl_mean", .1}, {"average_n_bits", 4}, {"accuracy", .6}}),
            run({{"ratio_packed", 4}, {"kl_mean", .2}, {"average_n_bits", 3}, {"accuracy", .5}},
                false)}},
      {.name = "theirs.json",
       .authors = true,
       .runs = {run({{"average_n_bits", 2}, {"accuracy", .7}})}}};
  const Chart both = tradeoff_chart(files, {});
  ASSERT_EQ(both.panels.size(), 1u);
  EXPECT_EQ(both.panels[0].x.label, "average_n_bits");
  EXPECT_EQ(both.panels[0].y.label, "accuracy");
  const auto& series = both.panels[0].series;
  ASSERT_EQ(series.size(), 4u) << "a front, flat and by attention, and the authors'";
  EXPECT_EQ(series[0].points.size(), 1u) << "fewest bits and the largest accuracy";
  EXPECT_EQ(series[0].points[0].x, 2);
  EXPECT_TRUE(series[3].open);
  EXPECT_FALSE(series[1].open);
  EXPECT_EQ(series[3].name, "theirs.json (the authors'): bits by attention");

  const Chart ours = tradeoff_chart(std::span(files).first(1), {});
  EXPECT_EQ(ours.title, "kl_mean against ratio_packed");
  EXPECT_EQ(ours.panels[0].y.scale, ChartScale::log);
  EXPECT_EQ(ours.panels[0].series[0].points.size(), 2u) << "both are on the front";
  EXPECT_EQ(tradeoff_chart(std::span(files).first(1), {"average_n_bits", "kl"}).title,
            "kl_mean against average_n_bits");
}

// Refused as wrong usage, with this in the line.
template <class Action>
void expect_refused(Action action, const std::string& words) {
  try {
    action();
    ADD_FAILURE() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(Tradeoff, RefusesWhatNotAllFilesHave) {
  const std::vector<TradeoffRuns> files{{.name = "a", .runs = {run({{"ratio_packed", 3}})}},
                                        {.name = "b", .runs = {run({{"accuracy", .5}})}}};
  expect_refused([&] { tradeoff_chart(files, {}); }, "in common");
  expect_refused(
      [&] {
        tradeoff_chart(std::span(files).first(1), {"accuracy", {}});
      },
      "choose one of ratio_packed");
}

TEST(Tradeoff, SaysHowManyRunsLackAMetric) {
  const std::vector<TradeoffRuns> files{
      {.name = "a", .runs = {run({{"ratio_packed", 3}, {"kl_mean", 0}}), run({{"kl_mean", 1}})}}};
  const Chart chart = tradeoff_chart(files, {});
  EXPECT_EQ(chart.subtitle, "1 run of 1 file");
  ASSERT_EQ(chart.notes.size(), 1u);
  EXPECT_EQ(chart.notes[0], "Not drawn, for want of one of the two: 1 run.");
  EXPECT_EQ(chart.panels[0].y.scale, ChartScale::linear) << "0 has no place on a logarithmic axis";
}

TEST(BoundChart, HasAPointForEveryHeadAndTargetAndEveryRowInItsHistogram) {
  const MemoryCapture capture = synthetic_capture({.n_tokens = 24});
  std::vector<std::shared_ptr<const BoundCheck>> checks;
  for (const double e : {0.01, 0.1}) {
    BoundCheckOptions options;
    options.replay.prefix = 16;
    for (QaqSideParams* side : {&options.replay.params.key, &options.replay.params.value}) {
      side->variant = Variant::bound;
      side->target_quantization_error = e;
    }
    checks.push_back(check_bound(capture, options));
  }
  const Chart chart = bound_chart(checks, 0);
  const auto& reports = checks[0]->promises;
  ASSERT_EQ(chart.panels.size(), reports.size() + 2);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    std::size_t n = 0;
    for (const ChartSeries& series : chart.panels[i].series) n += series.points.size();
    EXPECT_EQ(n, 2 * reports[i].cells.size());
    double rows = 0, over = 0;
    for (const ChartPoint& bin : chart.panels[reports.size()].series[i].points) {
      rows += bin.y;
      if (bin.x > 1) over += bin.y;
    }
    EXPECT_EQ(rows, static_cast<double>(reports[i].all.replayed.n_rows));
    EXPECT_EQ(over, static_cast<double>(reports[i].all.replayed.n_over));
  }
  for (const ChartSeries& bits : chart.panels.back().series) {
    ASSERT_EQ(bits.points.size(), 2u);
    EXPECT_GT(bits.points[0].y, bits.points[1].y) << "a tighter promise takes more bits";
  }
}

}  // namespace
}  // namespace qaq::test
