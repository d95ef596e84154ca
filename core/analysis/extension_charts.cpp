#include "core/analysis/extension_charts.h"

#include <utility>

#include "core/analysis/chart_rows.h"

namespace qaq {

Chart extension_chart(const Table& settings, std::span<const std::string> methods) {
  const ChartAxis x{.label = "compression ratio, packed bytes", .scale = ChartScale::log};
  ChartPanel errors{.title = "Error of outputs",
                    .x = x,
                    .y = {.label = "mean squared error", .scale = ChartScale::log}};
  ChartPanel factors{.title = "Beside plain QAQ at equal bytes",
                     .x = x,
                     .y = {.label = "times plain QAQ's error", .scale = ChartScale::log},
                     .lines = {{.at = 1, .label = "as plain QAQ"}}};
  for (std::size_t i = 0; i < methods.size(); ++i) {
    // Plain QAQ has its own colour; the others go round what is left.
    const int style = i == 0 ? kQaqStyle : static_cast<int>(i < 2 ? 0 : i);
    ChartSeries series{.name = methods[i],
                       .mark = ChartMark::line_points,
                       .style = style,
                       .open = i == 0,
                       .source = {.table = "",
                                  .x = "ratio_packed",
                                  .y = "output_error",
                                  .rows = rows_where(settings, "method", [&](const auto& name) {
                                    return name == methods[i];
                                  })}};
    errors.series.push_back(series);
    if (i == 0) continue;
    series.source.y = "over_plain";
    factors.series.push_back(series);
  }
  Chart out{.panels = {std::move(errors), std::move(factors)}};
  out.notes = {"Points of a line are error budgets e, the smallest on the left."};
  return out;
}

}  // namespace qaq
