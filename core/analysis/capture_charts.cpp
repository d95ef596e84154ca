#include "core/analysis/capture_charts.h"

#include <algorithm>
#include <iterator>

#include "core/analysis/chart_rows.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr double kLeastScore = 1e-4;  // smaller ones are coloured like it

ChartRows in_both(const ChartRows& first, const ChartRows& second) {
  ChartRows out;
  std::ranges::set_intersection(first, second, std::back_inserter(out));
  return out;
}

}  // namespace

Chart fig2b_chart(const std::string& place) {
  ChartPanel panel{
      .title = cat("Scores of ", place),
      .x = {.label = "key", .whole = true},
      .y = {.label = "query", .whole = true},
      .z = {.label = "score", .scale = ChartScale::log, .least = kLeastScore, .most = 1}};
  panel.series.push_back(
      {.name = "", .mark = ChartMark::heat, .source = {.table = "", .y = "query"}});
  panel.series.push_back({.name = "violation of persistence",
                          .mark = ChartMark::rings,
                          .source = {.table = "violations", .x = "key", .y = "query"}});
  Chart out{.columns = 1, .panels = {std::move(panel)}};
  out.notes = {
      "Blank: keys that a query cannot see yet. Scores below 0.0001 are coloured like it."};
  return out;
}

Chart fig2c_chart(const Table& bins, double tail, double edge) {
  Chart out;
  for (const bool magnified : {false, true}) {
    for (const std::string scale : {"raw", "z"}) {
      const bool raw = scale == "raw";
      ChartPanel panel;
      panel.title = raw ? "Numbers as they are" : "In standard deviations of their unit";
      if (magnified) panel.title += ", the tail";
      panel.x = {.label = raw ? "number" : "z", .least = magnified ? tail : -edge, .most = edge};
      panel.y = {.label = "numbers in a bin",
                 .scale = magnified ? ChartScale::linear : ChartScale::log};
      for (const std::string cache : {"key", "value"}) {
        ChartSource source{.table = "", .x = "centre", .y = "count"};
        source.rows =
            in_both(rows_beginning(bins, "cache", cache), rows_beginning(bins, "scale", scale));
        panel.series.push_back({.name = cache + "s",
                                .mark = ChartMark::steps,
                                .style = cache == "key" ? kKeyStyle : kValueStyle,
                                .source = std::move(source)});
      }
      out.panels.push_back(std::move(panel));
    }
  }
  out.notes = {
      cat("What lies outside -", number_text(edge), " to ", number_text(edge),
          " is counted in the table of sums. A unit is one token's row of one layer and KV head.")};
  return out;
}

}  // namespace qaq
