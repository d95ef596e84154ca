// The figure of every experiment, made by `qaq experiment` on a tiny model: every row of the tables
// that it names is on the plot, and nothing is cut or covered.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/results/experiment_file.h"
#include "tests/support/program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"
#include "views/plots/chart_panel.h"
#include "views/plots/chart_plot.h"

namespace qaq {
namespace {

using nlohmann::json;
using views::ChartPlot;

// Rows that have every number that the series asks for.
std::int64_t whole_rows(const json& series, const json& table) {
  std::vector<std::size_t> needed;
  const auto column = [&](const std::string& wanted) {
    const auto found = std::ranges::find_if(
        table["columns"], [&](const json& each) { return each["name"] == wanted; });
    return static_cast<std::size_t>(found - table["columns"].begin());
  };
  for (const char* key : {"x", "y"}) {
    if (series.contains(key)) needed.push_back(column(series[key]));
  }
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < table["rows"].size(); ++row) rows.push_back(row);
  if (series.contains("rows")) rows = series["rows"].get<std::vector<std::size_t>>();
  if (series["mark"] == "heat") {
    std::int64_t n = 0;
    for (const std::size_t row : rows) {
      n += std::ranges::count_if(table["rows"][row], [](const json& c) { return c.is_number(); }) -
           1;
    }
    return n;
  }
  return std::ranges::count_if(rows, [&](std::size_t row) {
    return std::ranges::all_of(needed,
                               [&](std::size_t at) { return table["rows"][row][at].is_number(); });
  });
}

// Points on a panel: data of graphs and bars, cells of heat, strokes. Lines of reference have no
// name; rings are drawn twice.
std::int64_t points_on(const ChartPlot& plot, const QCPAxisRect* axes) {
  std::int64_t n = 0;
  for (QCPAbstractPlottable* plottable : axes->plottables()) {
    if (const auto* graph = qobject_cast<QCPGraph*>(plottable)) {
      if (!graph->name().isEmpty()) n += graph->dataCount();
    } else if (const auto* bars = qobject_cast<QCPBars*>(plottable)) {
      n += bars->dataCount();
    } else if (const auto* map = qobject_cast<QCPColorMap*>(plottable)) {
      for (int x = 0; x < map->data()->keySize(); ++x) {
        for (int y = 0; y < map->data()->valueSize(); ++y) {
          n += std::isnan(map->data()->cell(x, y)) ? 0 : 1;
        }
      }
    }
  }
  for (int i = 0; i < plot.itemCount(); ++i) {
    n += qobject_cast<QCPItemLine*>(plot.item(i)) && plot.item(i)->clipAxisRect() == axes;
  }
  return n;
}

class Charts : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Experiments, Charts,
                         testing::Values("fig2a", "fig2b", "fig2c", "fig3", "fig4", "table1",
                                         "table2", "table3", "bound", "cost", "drift", "ext-ema",
                                         "ext-hybrid", "ext-approximate", "ext-adaptive",
                                         "ext-nsigma", "ext-sparse-top-k", "ext-prune"));

TEST_P(Charts, ShowEveryRowAndCoverNothing) {
  const test::TemporaryFolder folder;
  const std::string name = GetParam();
  const auto made =
      test::run_program({QAQ_CLI_PROGRAM, "experiment", name, "--model",
                         test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"), "--task",
                         test::test_data_path("tasks/example_expected.jsonl"), "--limit", "4",
                         "--head", "2", "-o", folder.file("out"), "--no-figure", "--quiet"});
  ASSERT_EQ(made.exit_code, 0) << made.err;
  const std::string path = folder.file("out/" + name + ".json");
  const json document = json::parse(std::ifstream(path));
  const Chart chart = read_experiment_chart(path);
  ChartPlot plot;
  plot.setChart(chart);
  const QImage image = views::chartPage(plot, {}).image();

  for (std::size_t p = 0; p < chart.panels.size(); ++p) {
    const ChartPanel& panel = chart.panels[p];
    std::int64_t n = 0;
    for (std::size_t s = 0; s < panel.series.size(); ++s) {
      const json& series = document["chart"]["panels"][p]["series"][s];
      const json& table = document["tables"][series["table"].get<std::string>()];
      EXPECT_EQ(std::ssize(panel.series[s].points), whole_rows(series, table)) << series;
      const auto n_points = std::ssize(panel.series[s].points);
      n += panel.series[s].mark == ChartMark::rings ? 2 * n_points : n_points;
    }
    Chart alone = chart;
    alone.panels = {panel};
    EXPECT_EQ(points_on(plot, plot.panels()[static_cast<qsizetype>(p)]),
              n - views::undrawable(alone))
        << panel.title;
    EXPECT_GT(n, 0) << panel.title;
    EXPECT_FALSE(panel.x.label.empty());
  }

  const QRgb surface = image.pixel(0, 0);
  for (int x = 0; x < image.width(); ++x) {
    EXPECT_EQ(image.pixel(x, 0), surface) << "cut at the top";
    EXPECT_EQ(image.pixel(x, image.height() - 1), surface) << "cut at the bottom";
  }
  for (int y = 0; y < image.height(); ++y) {
    EXPECT_EQ(image.pixel(0, y), surface) << "cut at the left";
    EXPECT_EQ(image.pixel(image.width() - 1, y), surface) << "cut at the right";
  }
  QList<QRect> parts{plot.heading()->outerRect(), plot.chartLegend()->outerRect(),
                     plot.notes()->outerRect()};
  for (const QCPAxisRect* axes : plot.panels()) parts.push_back(axes->outerRect());
  for (qsizetype i = 0; i < parts.size(); ++i) {
    for (qsizetype j = 0; j < i; ++j) {
      EXPECT_FALSE(parts[i].adjusted(0, 0, -1, -1).intersects(parts[j].adjusted(0, 0, -1, -1)))
          << i << " and " << j;
    }
  }
}

}  // namespace
}  // namespace qaq
