#include "core/analysis/method_chart.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/analysis/chart_rows.h"

namespace qaq {
namespace {

// Rows whose number in `column` can stand on a logarithmic axis.
ChartRows positive_rows(const Table& table, const ChartRows& rows, const std::string& column) {
  const auto at = static_cast<std::size_t>(std::ranges::find(table.columns, column, &Column::name) -
                                           table.columns.begin());
  std::vector<bool> positive;
  table.for_each_row([&](std::span<const Cell> row) {
    const auto* number = std::get_if<float>(&row[at]);
    positive.push_back(number && *number > 0);
  });
  ChartRows out;
  std::ranges::copy_if(rows, std::back_inserter(out),
                       [&](std::int64_t row) { return positive[static_cast<std::size_t>(row)]; });
  return out;
}

}  // namespace

Chart method_chart(const Table& methods, const Table& front, std::span<const std::string> names,
                   const std::string& loss) {
  const ChartAxis saved{.label = "ratio_packed", .unit = "1"};
  const bool of_model = loss == "kl_mean";
  ChartPanel losses{.title = "What is lost at the same packed bytes",
                    .x = saved,
                    .y = {.label = of_model ? "mean KL" : loss,
                          .unit = of_model ? "nat" : "",
                          .scale = ChartScale::log}};
  ChartSeries best{.name = "no method saves more and loses less",
                   .mark = ChartMark::dotted,
                   .style = kPaperStyle,
                   .source = {.table = "front", .x = "ratio_packed", .y = loss}};
  best.source.rows = positive_rows(front, all_rows(front), loss);
  if (!best.source.rows.empty()) losses.series.push_back(std::move(best));
  ChartPanel accuracy{.title = "Accuracy", .x = saved, .y = {.label = "accuracy"}};
  for (std::size_t i = 0; i < names.size(); ++i) {
    const ChartRows rows =
        rows_where(methods, "method", [&](const std::string& name) { return name == names[i]; });
    // The first is QAQ.
    const int place = static_cast<int>(i) + kQaqStyle;
    ChartSeries series{.name = names[i],
                       .mark = ChartMark::line_points,
                       .style = place % kPaperStyle,
                       .open = place / kPaperStyle % 2 == 1,
                       .source = {.table = "", .x = "ratio_packed"}};
    series.source.y = loss;
    series.source.rows = positive_rows(methods, rows, loss);
    if (!series.source.rows.empty()) losses.series.push_back(series);
    if (!of_model) continue;
    series.source.y = "accuracy";
    series.source.low = "accuracy_low";
    series.source.high = "accuracy_high";
    if (!series.source.rows.empty()) accuracy.series.push_back(std::move(series));
  }
  Chart out{.columns = of_model ? 2 : 1, .panels = {std::move(losses)}};
  if (of_model) {
    out.panels.push_back(std::move(accuracy));
    out.notes.emplace_back("Bars: 95 % intervals (Wilson).");
  }
  return out;
}

}  // namespace qaq
