#include "core/analysis/comparison_chart.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/paired_errors.h"
#include "core/analysis/row_table.h"
#include "core/base/text.h"

namespace qaq {
namespace {

PairedErrors errors_of(const ComparedRun& a, const ComparedRun& b, const Alignment& alignment,
                       ComparedLines which) {
  const CaptureInfo &x = a.capture->info(), &y = b.capture->info();
  const std::vector<LayerPair> layers = layer_pairs(alignment, x, y);
  const auto rows = [&] { return row_pairs(alignment, x, y); };
  const std::int64_t prefix = std::min({a.replay->prefix, b.replay->prefix, alignment.n_tokens});
  switch (which) {
    case ComparedLines::output:
      return errors_by_step(a.replay->output_error, b.replay->output_error, layers, rows());
    case ComparedLines::attention:
      return errors_by_step(a.replay->attention_error, b.replay->attention_error, layers, rows());
    case ComparedLines::key:
      return errors_by_layer(a.replay->key.error, b.replay->key.error, layers, prefix);
    case ComparedLines::value:
      break;
  }
  return errors_by_layer(a.replay->value.error, b.replay->value.error, layers, prefix);
}

struct Wording {
  const char *title, *subtitle, *error;
};

Wording wording_of(ComparedLines which) {
  switch (which) {
    case ComparedLines::output:
      return {"Output error by step", "mean over layers and query heads", "output error (MSE)"};
    case ComparedLines::attention:
      return {"Attention error by step", "mean over layers and query heads",
              "attention error of a row"};
    case ComparedLines::key:
      return {"K error by layer", "mean over KV heads and tokens", "K error (MSE)"};
    case ComparedLines::value:
      break;
  }
  return {"V error by layer", "mean over KV heads and tokens", "V error (MSE)"};
}

}  // namespace

Chart comparison_chart(const ComparedRun& a, const ComparedRun& b, const Alignment& alignment,
                       ComparedLines which) {
  const Wording words = wording_of(which);
  const bool by_step = which == ComparedLines::output || which == ComparedLines::attention;
  const PairedErrors errors = errors_of(a, b, alignment, which);
  Chart chart{.title = words.title, .subtitle = words.subtitle, .columns = 1};
  ChartPanel panel{.x = {.label = by_step ? "step" : "layer", .whole = true},
                   .y = {.label = words.error, .scale = ChartScale::log}};
  std::int64_t n_without = 0;
  const auto add = [&](const ComparedRun& run, const char* letter, int style,
                       const std::vector<double>& values) {
    ChartSeries line{.name = cat(letter, "  ", run.name),
                     .mark = ChartMark::line_points,
                     .style = style,
                     .open = style == kComparedB};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool drawn = values[i] > 0;
      n_without += drawn ? 0 : 1;
      line.points.push_back(
          {.x = static_cast<double>(errors.at[i]), .y = drawn ? values[i] : ChartPoint::kNone});
    }
    panel.series.push_back(std::move(line));
  };
  add(a, "A", kComparedA, errors.a);
  add(b, "B", kComparedB, errors.b);
  if (errors.at.empty()) {
    chart.notes.push_back(
        "one of the two has no such errors: a capture with queries and attention "
        "does, behind the prefix");
  } else if (n_without > 0) {
    chart.notes.push_back("errors of 0 lie below the logarithmic scale");
  }
  chart.panels.push_back(std::move(panel));
  return chart;
}

Table comparison_chart_table(const Chart& chart) {
  const ChartPanel& panel = chart.panels.front();
  const auto &a = panel.series[0].points, &b = panel.series[1].points;
  const auto cell_of = [](double y) { return std::isnan(y) ? Cell() : real_cell(y); };
  std::vector<std::vector<Cell>> rows;
  for (std::size_t i = 0; i < a.size(); ++i) {
    rows.push_back({static_cast<std::int64_t>(a[i].x), cell_of(a[i].y), cell_of(b[i].y)});
  }
  return table_of({{panel.x.label, ColumnKind::integer},
                   {"a", ColumnKind::real, "1"},
                   {"b", ColumnKind::real, "1"}},
                  std::move(rows));
}

}  // namespace qaq
