// Charts of experiments' documents: their points are the tables' numbers, and what is wrong with a
// document is said with its place.
#include "data/results/experiment_file.h"

#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "data/results/tradeoff_runs.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

using Json = nlohmann::json;

const char* const kDocument = R"({
  "experiment": "fig9", "title": "A title", "model": "m", "items": "t", "counts": "questions",
  "n": 3, "n_available": 9,
  "tables": {"fig9": {
    "columns": [{"name": "setting"}, {"name": "bits"}, {"name": "score"}, {"name": "low"}],
    "rows": [["a", 1, 0.5, 0.25], ["b", 2, null, null], ["a", 3, 0.75, null]]}},
  "chart": {"columns": 1, "notes": ["n"], "panels": [{
    "title": "P", "lines": [{"kind": "y", "label": "l", "at": 0.5}],
    "x": {"label": "bits", "scale": "linear", "unit": "bit"},
    "y": {"label": "score", "scale": "log"},
    "series": [{"name": "s", "mark": "points", "style": 1, "table": "fig9", "x": "bits",
                "y": "score", "low": "low"}]}]}})";

class ExperimentFile : public testing::Test {
 protected:
  Chart read(const Json& document) { return read_text(document.dump()); }
  Chart read_text(const std::string& text) {
    std::ofstream(path_) << text;
    return read_experiment_chart(path_);
  }
  Json document() const { return Json::parse(kDocument); }
  Json& series(Json& of) const { return of["chart"]["panels"][0]["series"][0]; }

  test::TemporaryFolder folder_;
  const std::string path_ = folder_.file("fig9.json");
};

TEST_F(ExperimentFile, PointsAreTheTablesNumbers) {
  const Chart chart = read(document());
  EXPECT_EQ(chart.title, "fig9: A title");
  EXPECT_EQ(chart.subtitle, "m on t, n = 3 of 9 questions");
  ASSERT_EQ(chart.panels.size(), 1u);
  const ChartSeries& series = chart.panels[0].series.at(0);
  ASSERT_EQ(series.points.size(), 2u) << "a row without a score gives none";
  EXPECT_EQ(series.points[0].x, 1);
  EXPECT_EQ(series.points[0].y, 0.5);
  EXPECT_EQ(series.points[0].low, 0.25);
  EXPECT_TRUE(std::isnan(series.points[0].high));
  EXPECT_EQ(series.points[1].x, 3);
  EXPECT_TRUE(std::isnan(series.points[1].low));
  EXPECT_EQ(chart.panels[0].y.scale, ChartScale::log);
  EXPECT_EQ(chart.panels[0].lines.at(0).at, 0.5);
}

TEST_F(ExperimentFile, RowsComeInTheOrderThatIsAskedFor) {
  Json changed = document();
  series(changed)["rows"] = {2, 0};
  const auto points = read(changed).panels[0].series[0].points;
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].x, 3);
}

TEST_F(ExperimentFile, NamesHavePlacesInTheOrderOfTheirAppearance) {
  Json changed = document();
  changed["chart"]["panels"][0]["y"]["scale"] = "category";
  series(changed)["category"] = {"setting", "bits"};
  series(changed).erase("y");
  const ChartPanel panel = read(changed).panels[0];
  EXPECT_EQ(panel.y.names, (std::vector<std::string>{"a, 1", "b, 2", "a, 3"}));
  EXPECT_EQ(panel.series[0].points.at(2).y, 2);
}

TEST_F(ExperimentFile, NamesThatAnAxisGivesComeFirstAndLabelsGoWithTheirPoints) {
  Json changed = document();
  changed["chart"]["panels"][0]["y"]["scale"] = "category";
  changed["chart"]["panels"][0]["y"]["names"] = {"b", "c"};
  changed["chart"]["panels"][0]["z"] = {{"label", "z"}, {"scale", "linear"}, {"centre", 0.5}, {"whole", true}};
  series(changed)["category"] = {"setting"};
  series(changed)["label"] = "bits";
  series(changed).erase("y");
  const ChartPanel panel = read(changed).panels[0];
  EXPECT_EQ(panel.y.names, (std::vector<std::string>{"b", "c", "a"}));
  EXPECT_EQ(panel.z.centre, 0.5);
  EXPECT_TRUE(panel.z.whole);
  EXPECT_FALSE(panel.x.whole);
  EXPECT_EQ(panel.series[0].points.at(0).y, 2);
  EXPECT_EQ(panel.series[0].labels, (std::vector<std::string>{"1", "2", "3"}));
}

TEST_F(ExperimentFile, CellsOfHeatAreAllColumnsBehindTheRows) {
  Json changed = document();
  series(changed) = {
      {"name", ""}, {"mark", "heat"}, {"style", 0}, {"table", "fig9"}, {"y", "bits"}};
  const auto points = read(changed).panels[0].series[0].points;
  ASSERT_EQ(points.size(), 3u) << "null is no cell";
  EXPECT_EQ(points[1].x, 1);
  EXPECT_EQ(points[1].y, 0);
  EXPECT_EQ(points[1].z, 0.25);
}

TEST_F(ExperimentFile, WhatIsWrongIsSaidWithItsPlace) {
  const auto refused = [&](const std::string& text) {
    return test::refusal([&] { read_text(text); });
  };
  const auto changed = [&](const char* pointer, const Json& value) {
    Json json = document();
    json[Json::json_pointer(pointer)] = value;
    return refused(json.dump());
  };
  const auto says = [&](const std::string& line, const std::string& words) {
    EXPECT_NE(line.find(words), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), std::string::npos) << line;
  };
  const std::string series = "/chart/panels/0/series/0";
  says(test::refusal([&] { read_experiment_chart(folder_.file("none.json")); }), "none.json");
  says(refused(""), "byte 1: is not valid JSON");
  says(refused(std::string(100000, '[')), "is not valid JSON");
  says(refused(R"({"chart": 1e999})"), "a number that is too large");
  says(refused("[1, 2]"), "/chart: is missing");
  says(refused("{}"), "/chart: is missing");
  says(refused(R"({"chart": {}, "tables": {}})"), "/experiment: is missing");
  says(changed("/chart/panels", Json::array()), "/chart/panels: is empty");
  says(changed("/chart/panels", "none"), "/chart/panels: is no list");
  says(changed("/chart/columns", 1000000), "/chart/columns: is not between 1 and 8");
  says(changed("/chart/columns", 1.5), "is no whole number");
  says(changed("/n", -1), "/n: is not between 0");
  says(changed("/n", 18446744073709551615u), "/n: is not between 0");
  says(changed("/title", nullptr), "/title: is no text");
  says(changed((series + "/style").c_str(), 10), "/style: is not between 0 and 9");
  says(changed((series + "/mark").c_str(), "cake"), "/mark: 'cake' is not known");
  says(changed((series + "/table").c_str(), "fig8"), "there is no table 'fig8'");
  says(changed((series + "/x").c_str(), "bots"), "/x: the table has no column 'bots'");
  says(changed((series + "/rows").c_str(), {3}), "/rows/0: is not between 0 and 2");
  says(changed((series + "/rows").c_str(), {-1}), "/rows/0: is not between 0 and 2");
  says(changed((series + "/shift").c_str(), "far"), "/shift: is no number");
  says(changed("/chart/panels/0/x/scale", "category"), "/category: is missing");
  says(changed("/chart/panels/0/x/least", "a"), "/least: is no number");
  says(changed("/chart/panels/0/lines/0/kind", 3), "/kind: is no text");
  says(changed("/tables/fig9/rows/1", {1}), "/rows/1: has not a cell for every column");
  says(changed("/tables/fig9/columns", 5), "/columns: is no list");
  Json json = document();
  json["chart"]["panels"][0]["x"]["least"] = 2;
  json["chart"]["panels"][0]["x"]["most"] = 1;
  says(refused(json.dump()), "/chart/panels/0/x: ends before it begins");
  json = document();
  json["chart"]["panels"][0]["y"]["least"] = 0;
  says(refused(json.dump()), "/chart/panels/0/y: a logarithmic axis begins above 0");
}

TEST_F(ExperimentFile, ResultsOfOursAndOfTheAuthorsAreToldApart) {
  const std::string path = folder_.file("results.json");
  const char* quantizers =
      R"("key_quantizer": {"use_attentions": true}, "value_quantizer": {"use_attentions": false})";
  std::ofstream(path) << R"([{"params": {)" << quantizers << R"(},
      "results": {"accuracy": 0.5, "accuracy_confidence": 0.1, "average_n_bits": "many"}},
    {"params": {}, "results": {"accuracy": 0.25}, "qaq_scope": {"metrics": {"kl_mean": 0.125,
      "accuracy": 0.25, "accuracy_wilson_95": [0.2, 0.4], "ratio_packed": null}}},
    {"params": {}, "results": {}, "qaq_scope": {}}])";
  const auto runs = read_tradeoff_runs(path);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_FALSE(runs[0].authors);
  EXPECT_EQ(runs[0].name, "results.json");
  ASSERT_EQ(runs[0].runs.size(), 2u);
  EXPECT_EQ(runs[0].runs[0].metrics,
            (std::map<std::string, double>{{"accuracy", 0.25}, {"kl_mean", 0.125}}));
  EXPECT_EQ(runs[0].runs[0].accuracy_interval, (std::pair{0.2, 0.4}));
  EXPECT_FALSE(runs[0].runs[0].by_attention);
  EXPECT_TRUE(runs[1].authors);
  ASSERT_EQ(runs[1].runs.size(), 1u);
  EXPECT_TRUE(runs[1].runs[0].by_attention);
  EXPECT_EQ(runs[1].runs[0].accuracy_interval, (std::pair{0.4, 0.6}));
  EXPECT_EQ(runs[1].runs[0].metrics.count("average_n_bits"), 0u);
  std::ofstream(path) << "[]";
  EXPECT_NE(test::refusal([&] { read_tradeoff_runs(path); }).find("no runs"), std::string::npos);
}

}  // namespace
}  // namespace qaq
