#include "core/analysis/accuracy_charts.h"

#include "core/analysis/chart_rows.h"
#include "core/base/text.h"

namespace qaq {
namespace {

constexpr double kDodge = 0.12;                   // of a category's place, of a bit
constexpr int kFirstStyle = 3, kSecondStyle = 2;  // of a pair

void add_interval(ChartSource& source) {
  source.low = "accuracy_low";
  source.high = "accuracy_high";
}

}  // namespace

Chart fig2a_chart(const Table& settings, const Table& paper, double whole) {
  ChartPanel accuracy{.title = "Accuracy",
                      .x = {.label = "bits of the quantized cache"},
                      .y = {.label = "accuracy"},
                      .lines = {{.at = whole, .label = "whole cache"}}};
  ChartPanel kl{.title = "KL from the whole cache",
                .x = accuracy.x,
                .y = {.label = "mean KL", .unit = "nat", .scale = ChartScale::log}};
  double shift = -1.5 * kDodge;
  for (const std::string side : {"key", "value"}) {
    const int style = side == "key" ? kKeyStyle : kValueStyle;
    for (const std::string rule : {"mean_centred", "midpoint"}) {
      ChartSeries series{.name = cat(side, "s, ", rule),
                         .mark = ChartMark::line_points,
                         .style = style,
                         .open = rule == "midpoint",
                         .source = {.table = "", .x = side + "_bits", .y = "kl_mean"}};
      series.source.rows = rows_where(settings, "setting", [&](const std::string& name) {
        return name.starts_with(side) && name.ends_with("head " + rule);
      });
      kl.series.push_back(series);
      series.shift = shift;
      series.source.y = "accuracy";
      add_interval(series.source);
      accuracy.series.push_back(series);
      shift += kDodge;
    }
  }
  for (const std::string side : {"key", "value"}) {
    ChartSeries series{.name = cat("the paper's ", side, "s"),
                       .mark = ChartMark::line_points,
                       .style = kPaperStyle,
                       .open = side == "value",
                       .source = {.table = "paper", .x = side + "_bits", .y = "paper_accuracy"}};
    series.source.rows = rows_beginning(paper, "paper_setting", side);
    accuracy.series.push_back(series);
  }
  Chart out{.panels = {std::move(accuracy), std::move(kl)}};
  out.notes = {
      "Level head; the other levels are in the table. Bars: 95 % intervals (Wilson). mean_centred "
      "is the authors' quantizer. The paper's numbers are read off its figure, which is of "
      "LLaMA-2-7B on 1000 questions of HellaSwag."};
  return out;
}

Chart pairs_chart(const Table& settings, const Table& paper,
                  const std::array<std::string_view, 2>& words, double whole) {
  const ChartAxis rows{.label = "", .scale = ChartScale::category};
  ChartPanel accuracy{.title = "Accuracy",
                      .x = {.label = "accuracy"},
                      .y = rows,
                      .lines = {{.kind = ChartLineKind::x, .at = whole, .label = "whole cache"}}};
  ChartPanel ratio{.title = "Compression", .x = {.label = "ratio"}, .y = rows};
  const ChartSource row{.table = "paper",
                        .category = {"paper_model", "paper_task", "paper_setting"},
                        .rows = all_rows(paper)};
  ChartSeries theirs{.name = "the paper's", .style = kPaperStyle, .shift = -kDodge, .source = row};
  ChartSeries ours{.name = "ours", .style = kQaqStyle, .shift = kDodge, .source = row};
  theirs.source.x = "paper_accuracy";
  ours.source.x = "accuracy";
  add_interval(ours.source);
  accuracy.series = {theirs, ours};
  theirs.source.x = "paper_ratio";
  ours.source = row;
  ours.source.x = "ratio_paper";
  ratio.series = {theirs, ours};
  ours.name = "ours, all bytes";
  ours.open = true;
  ours.source.x = "ratio_packed";
  ratio.series.push_back(ours);
  Chart out{.panels = {std::move(accuracy), std::move(ratio)}};
  for (const std::string counted : {"ratio_paper", "ratio_packed"}) {
    ChartPanel panel{.title = cat("KL of all settings against ", counted),
                     .x = {.label = counted},
                     .y = {.label = "mean KL", .unit = "nat", .scale = ChartScale::log}};
    for (std::size_t i = 0; i < words.size(); ++i) {
      ChartSeries series{.name = std::string(words[i]),
                         .style = i == 0 ? kFirstStyle : kSecondStyle,
                         .source = {.table = "", .x = counted, .y = "kl_mean"}};
      series.source.rows = rows_where(
          settings, "setting", [&](const std::string& name) { return name.ends_with(words[i]); });
      panel.series.push_back(std::move(series));
    }
    out.panels.push_back(std::move(panel));
  }
  out.notes = {
      "Bars: 95 % intervals (Wilson). Ours is the setting whose ratio_paper is nearest to the "
      "paper's. ratio_paper: scales, indices and bit map not counted; ratio_packed: all bytes."};
  return out;
}

}  // namespace qaq
