#include "core/analysis/bound_charts.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/analysis/chart_rows.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr std::array<const char*, kPromises> kTitles{
    "Scores, keys quantized", "Outputs, keys quantized", "Outputs, values quantized",
    "Outputs, both quantized"};
constexpr std::array<const char*, kPromises> kShortTitles{"scores", "outputs, keys",
                                                          "outputs, values", "outputs, both"};
constexpr std::array<const char*, kBoundConditions> kBroken{
    "query longer than assumed", "score above the window's", "bits held back by n_bits_max",
    "logit error beyond v_max",  "units of under 3 bits",    "more keys than counted"};

constexpr const char* kAsPromised = "as promised";

ChartAxis log_axis(std::string label, std::string unit = "") {
  return {.label = std::move(label), .unit = std::move(unit), .scale = ChartScale::log};
}

ChartPanel promised_panel(std::string title) {
  return {.title = std::move(title),
          .x = log_axis("promised error e"),
          .y = log_axis("achieved error, RMS over rows"),
          .lines = {{.kind = ChartLineKind::diagonal, .label = kAsPromised}}};
}

ChartPanel ratio_panel(std::string title) {
  return {.title = std::move(title),
          .x = log_axis("error of a row over e"),
          .y = {.label = "rows"},
          .lines = {{.kind = ChartLineKind::x, .at = 1, .label = kAsPromised}}};
}

ChartPanel bits_panel(std::string title) {
  return {.title = std::move(title),
          .x = log_axis("promised error e"),
          .y = {.label = "mean bits", .unit = "bit"}};
}

std::vector<std::string> texts_of(const Table& table, const std::string& column) {
  std::vector<std::string> out;
  rows_where(table, column, [&](const std::string& text) {
    if (std::ranges::find(out, text) == out.end()) out.push_back(text);
    return true;
  });
  return out;
}

// The condition that most of a head's rows above the promise break; "" where none lie above.
std::string reason_of(const BoundCell& cell, const PromiseReport& report) {
  if (cell.replayed.n_over == 0) return "no row above e";
  std::size_t most = 0;
  std::int64_t count = -1;
  for (std::size_t i = 0; i < kBoundConditions; ++i) {
    if (!report.rests_on[i] || cell.conditions[i].n_over <= count) continue;
    most = i;
    count = cell.conditions[i].n_over;
  }
  return count > 0 && count >= cell.n_over_unbroken ? cat("rows above e: ", kBroken[most])
                                                    : "rows above e: no condition broken";
}

ChartSeries series_of(const std::string& reason) {
  if (reason == "no row above e") return {.name = reason, .style = kPaperStyle, .open = true};
  int style = static_cast<int>(kBoundConditions);
  for (std::size_t i = 0; i < kBoundConditions; ++i) {
    if (reason.ends_with(kBroken[i])) style = static_cast<int>(i);
  }
  return {.name = reason, .style = style};
}

}  // namespace

Chart bound_chart(const Table& rules, const Table& ratios, const std::string& e) {
  const std::vector<std::string> names = texts_of(rules, "rule");
  // A rule looks alike wherever it is, and what it would do if it knew the future like itself.
  const auto base_of = [](const std::string& name) { return name.substr(0, name.find(';')); };
  std::vector<std::string> bases;
  for (const std::string& name : names) {
    if (std::ranges::find(bases, base_of(name)) == bases.end()) bases.push_back(base_of(name));
  }
  Chart out;
  std::vector<ChartPanel> promised, counted, bits;
  for (const std::string cache : {"key", "value"}) {
    const bool keys = cache == "key";
    const std::string of = keys ? "keys: scores" : "values: outputs";
    ChartPanel one = promised_panel("Promised and achieved, " + of);
    ChartPanel two = ratio_panel(cat("Rows at e = ", e, ", ", of));
    ChartPanel three = bits_panel("Bits, " + cache + "s");
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto rows_of = [&](const Table& table) {
        ChartRows out_rows;
        const ChartRows side = rows_beginning(table, "cache", cache);
        const ChartRows rule =
            rows_where(table, "rule", [&](const std::string& text) { return text == names[i]; });
        std::ranges::set_intersection(side, rule, std::back_inserter(out_rows));
        return out_rows;
      };
      const auto style =
          static_cast<int>(std::ranges::find(bases, base_of(names[i])) - bases.begin());
      ChartSeries series{.name = names[i],
                         .mark = ChartMark::line_points,
                         .style = style,
                         .open = names[i] != bases[static_cast<std::size_t>(style)]};
      series.source = {.table = "", .x = "e", .y = "row_rms", .rows = rows_of(rules)};
      if (series.source.rows.empty()) continue;
      one.series.push_back(series);
      series.source.y = "mean_bits";
      three.series.push_back(series);
      series.mark = ChartMark::steps;
      series.source = {.table = "ratios", .x = "ratio", .y = "n_rows", .rows = rows_of(ratios)};
      two.series.push_back(series);
    }
    promised.push_back(std::move(one));
    counted.push_back(std::move(two));
    bits.push_back(std::move(three));
  }
  for (auto* panels : {&promised, &counted, &bits}) {
    std::ranges::move(*panels, std::back_inserter(out.panels));
  }
  out.notes = {
      "Below the broken line the promise is kept. The rules reference and paper are taken at their "
      "word: e is what they call the error. Rows without any error are in the leftmost bin."};
  return out;
}

Chart bound_chart(std::span<const std::shared_ptr<const BoundCheck>> checks, std::size_t shown) {
  const std::vector<PromiseReport>& reports = checks[shown]->promises;
  Chart out;
  ChartPanel counted = ratio_panel("Rows, at the target that was given");
  ChartPanel bits = bits_panel("Bits");
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const auto promise = static_cast<std::size_t>(reports[i].promise);
    ChartPanel panel = promised_panel(cat(kTitles[promise], ", every head a point"));
    std::map<std::string, ChartSeries> by_reason;
    for (const auto& check : checks) {
      const PromiseReport& report = check->promises[i];
      for (const BoundCell& cell : report.cells) {
        const std::string reason = reason_of(cell, report);
        ChartSeries& series = by_reason.try_emplace(reason, series_of(reason)).first->second;
        series.points.push_back({.x = report.e, .y = cell.replayed.row_rms});
      }
    }
    for (auto& [reason, series] : by_reason) panel.series.push_back(std::move(series));
    out.panels.push_back(std::move(panel));
    ChartSeries rows{.name = kShortTitles[promise],
                     .mark = ChartMark::steps,
                     .style = static_cast<int>(promise)};
    for (std::size_t bin = 0; bin < RatioCounts::kBins; ++bin) {
      rows.points.push_back(
          {.x = RatioCounts::centre(bin), .y = static_cast<double>(reports[i].ratios.count[bin])});
    }
    counted.series.push_back(std::move(rows));
  }
  const auto add_bits = [&](Promise promise, const char* name, int style,
                            double BoundCheck::*mean) {
    ChartSeries series{.name = name, .mark = ChartMark::line_points, .style = style};
    for (const auto& check : checks) {
      for (const PromiseReport& report : check->promises) {
        if (report.promise == promise) series.points.push_back({.x = report.e, .y = *check.*mean});
      }
    }
    if (!series.points.empty()) bits.series.push_back(std::move(series));
  };
  add_bits(Promise::scores, "bits of keys", 4, &BoundCheck::key_mean_bits);
  add_bits(Promise::key_outputs, "bits of keys", 4, &BoundCheck::key_mean_bits);
  add_bits(Promise::value_outputs, "bits of values", 5, &BoundCheck::value_mean_bits);
  out.panels.push_back(std::move(counted));
  out.panels.push_back(std::move(bits));
  out.notes = {
      "Below the broken line the promise is kept. A head's colour is the condition of the "
      "promise that most of its rows above e break."};
  return out;
}

}  // namespace qaq
