#include "core/analysis/risk_charts.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <span>
#include <utility>

#include "core/analysis/chart_rows.h"
#include "core/analysis/head_map.h"
#include "core/analysis/head_statistics.h"
#include "core/analysis/risk_tables.h"
#include "core/analysis/row_table.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr std::int64_t kRinged = 5;

ExperimentTable part(std::string name, Table table) {
  return {.name = name, .title = name, .table = std::move(table)};
}

// Of the model's layers, numbers of the captured ones.
HeadMap map_of(const Risk& risk, std::int64_t n_layers, const std::string& name,
               const std::function<double(std::int64_t layer, std::int64_t kv_head)>& number) {
  const auto at = [&risk, number](std::int64_t layer, std::int64_t head) {
    const auto found = std::ranges::find(risk.layers, layer);
    if (found == risk.layers.end()) return std::numeric_limits<double>::quiet_NaN();
    return number(found - risk.layers.begin(), head);
  };
  return {.table = name,
          .n_layers = n_layers,
          .n_heads = risk.n_kv_heads,
          .colors = {.label = name},
          .at = at};
}

// Logarithmic where nothing forbids it.
ChartAxis axis_of(const std::string& label, const std::string& unit,
                  std::span<const double> numbers) {
  const bool positive = std::ranges::all_of(numbers, [](double x) { return x > 0; });
  return {.label = label, .unit = unit, .scale = positive ? ChartScale::log : ChartScale::linear};
}

}  // namespace

RiskFigure risk_figure(const Risk& risk, std::size_t statistic, std::int64_t n_layers) {
  const std::string by(head_statistics()[statistic].name);
  const auto i = static_cast<std::int64_t>(statistic);
  const HeadDamage& damage = risk.damages.back();
  const auto& found = risk.correlations.back()[statistic];
  RiskFigure out{.title = cat("What ", by, " says of ", damage.name), .tables = {}, .chart = {}};

  const HeadMap warning = map_of(
      risk, n_layers, by, [&](std::int64_t l, std::int64_t h) { return risk.statistics(i, l, h); });
  const HeadMap harm = map_of(risk, n_layers, damage.name,
                              [&](std::int64_t l, std::int64_t h) { return damage.of_head(l, h); });
  std::vector<std::vector<Cell>> ringed;
  for (const std::int64_t head : risk.ranked_by(statistic)) {
    if (std::ssize(ringed) == kRinged) break;
    ringed.push_back({std::int64_t{risk.layers[static_cast<std::size_t>(head / risk.n_kv_heads)]},
                      head % risk.n_kv_heads});
  }
  const std::string rings = cat("riskiest by ", by);
  for (const HeadMap* map : {&warning, &harm}) {
    out.tables.push_back(part(map->table, head_map_table(*map)));
    ChartPanel panel = head_map_panel(*map, map->table);
    panel.series.push_back(head_map_rings("riskiest", rings));
    out.chart.panels.push_back(std::move(panel));
  }
  out.tables.push_back(part("riskiest", table_of({{"layer"}, {"head"}}, std::move(ringed))));

  out.tables.push_back(part("heads", risk_table(risk, statistic)));
  ChartPanel against{.title = "A point a KV head",
                     .x = axis_of(by, "", risk.statistics.sub(i).span()),
                     .y = axis_of(damage.name, damage.unit, damage.of_head.span())};
  against.series.push_back({.name = "", .source = {.table = "heads", .x = by, .y = damage.name}});
  out.chart.panels.push_back(std::move(against));

  Table correlations = risk_correlation_table(risk);
  ChartPanel rhos{.title = cat("Rank correlation with ", damage.name, ", 95 %"),
                  .x = {.label = "Spearman's rho", .least = -1.0, .most = 1.0},
                  .y = {.label = "", .scale = ChartScale::category},
                  .lines = {{.kind = ChartLineKind::x, .at = 0, .label = "chance"}}};
  rhos.series.push_back(
      {.name = "",
       .source = {.table = "correlations",
                  .x = "rho",
                  .low = "low",
                  .high = "high",
                  .category = {"statistic"},
                  .rows = rows_where(correlations, "damage", [&](const std::string& name) {
                    return name == damage.name;
                  })}});
  out.chart.panels.push_back(std::move(rhos));
  out.tables.push_back(part("correlations", std::move(correlations)));
  out.chart.notes = {
      found ? cat("rho = ", short_text(found->rho, 2), " (", short_text(found->interval.low, 2),
                  " to ", short_text(found->interval.high, 2), ") over ", found->n,
                  " KV heads: ", verdict_on(found, head_statistics()[statistic].low_is_risky), ".")
            : cat(by, " is the same for all heads: it says nothing.")};
  return out;
}

}  // namespace qaq
