#include "core/analysis/grid_charts.h"

#include "core/analysis/chart_rows.h"

namespace qaq {
namespace {

constexpr double kDodge = 0.12;  // of a category's place
constexpr int kBestStyle = 3;

ChartAxis ratio_axis(bool packed) {
  return {.label = packed ? "ratio_packed" : "ratio_paper", .unit = "1"};
}

// Accuracy and KL against both ratios, and each method's front. `name` is the table's.
Chart methods_chart(const Table& settings, const std::string& name, double whole) {
  struct Method {
    std::string name, beginning;
    int style;
  };
  const std::vector<Method> methods{{"flat bits", "flat ", kFlatStyle}, {"QAQ", "qaq ", kQaqStyle}};
  Chart out;
  for (const bool kl : {false, true}) {
    for (const bool packed : {false, true}) {
      const std::string ratio = packed ? "ratio_packed" : "ratio_paper";
      ChartPanel panel;
      panel.title = std::string(kl ? "KL" : "Accuracy") + " against " +
                    (packed ? "the bytes that are stored" : "compression as the paper counts it");
      panel.x = ratio_axis(packed);
      panel.y = kl ? ChartAxis{.label = "mean KL", .unit = "nat", .scale = ChartScale::log}
                   : ChartAxis{.label = "accuracy"};
      for (const Method& method : methods) {
        const ChartRows rows = rows_beginning(settings, "setting", method.beginning);
        ChartSource source{.table = name, .x = ratio, .y = kl ? "kl_mean" : "accuracy"};
        source.rows = front_rows(settings, rows, {ratio, source.y, kl});
        panel.series.push_back({.name = "front of " + method.name,
                                .mark = ChartMark::line,
                                .style = method.style,
                                .source = source});
        source.rows = rows;
        if (!kl) {
          source.low = "accuracy_low";
          source.high = "accuracy_high";
        }
        panel.series.push_back({.name = method.name, .style = method.style, .source = source});
      }
      if (!kl) {
        panel.lines.push_back({.at = whole, .label = "whole cache"});
      }
      out.panels.push_back(std::move(panel));
    }
  }
  out.notes = {
      "Bars: 95 % intervals (Wilson). ratio_paper: scales, indices and bit map not counted; "
      "ratio_packed: all bytes. A front joins the settings of its method that no other beats in "
      "both."};
  return out;
}

}  // namespace

Chart fig4_chart(const Table& settings, const Table& paper, double whole) {
  Chart out = methods_chart(settings, "", whole);
  for (ChartPanel& panel : out.panels) {
    if (panel.x.label != "ratio_paper") continue;
    const auto add = [&](const char* words, const char* beginning, int style) {
      ChartSource source{.table = "paper", .x = "paper_ratio"};
      source.rows = rows_beginning(paper, "paper_setting", beginning);
      if (source.rows.empty()) return;
      panel.series.push_back(
          {.name = words, .mark = ChartMark::rug, .style = style, .source = std::move(source)});
    };
    add("the paper's flat bits (ratios)", "flat", kPaperStyle);
    add("the paper's QAQ (ratios, Table 1)", "QAQ", kQaqStyle);
  }
  return out;
}

Chart fig3_chart(const Table& best, const Table& settings, double whole) {
  Chart out = methods_chart(settings, "settings", whole);
  for (ChartPanel& panel : out.panels) {
    const bool packed = panel.x.label == "ratio_packed";
    const bool kl = panel.y.scale == ChartScale::log;
    std::erase_if(panel.series,
                  [](const ChartSeries& series) { return series.name == "front of QAQ"; });
    ChartSource source{.table = "", .x = "at_least", .y = kl ? "kl_mean" : "accuracy"};
    source.rows = rows_beginning(best, "counted_as", packed ? "packed" : "paper");
    panel.series.push_back({.name = "QAQ's best at a ratio of at least",
                            .mark = ChartMark::line_points,
                            .style = kBestStyle,
                            .open = true,
                            .source = source});
  }
  return out;
}

Chart table1_chart(const Table& best, const Table& paper, double whole) {
  Chart out;
  ChartPanel ratios{.title = "Largest ratio at less than 1 % accuracy lost",
                    .x = {.label = "ratio", .least = 0},
                    .y = {.label = "counted as", .scale = ChartScale::category}};
  ChartPanel accuracies{.title = "What these answered",
                        .x = {.label = "accuracy"},
                        .y = {.label = "counted as", .scale = ChartScale::category},
                        .lines = {{.kind = ChartLineKind::x, .at = whole, .label = "whole cache"}}};
  for (const bool flat : {true, false}) {
    ChartSeries series{.name = flat ? "flat bits" : "QAQ",
                       .style = flat ? kFlatStyle : kQaqStyle,
                       .shift = flat ? -kDodge : kDodge};
    series.source = {.table = "", .x = "ratio", .category = {"counted_as"}};
    series.source.rows = rows_beginning(best, "method", flat ? "flat" : "QAQ");
    ratios.series.push_back(series);
    series.source.x = "accuracy";
    series.source.low = "accuracy_low";
    series.source.high = "accuracy_high";
    accuracies.series.push_back(series);
  }
  ChartPanel beside{.title = "The paper's ratios, beside QAQ's ratio_paper here",
                    .x = {.label = "ratio as the paper counts it", .least = 0},
                    .y = {.label = "", .scale = ChartScale::category}};
  const ChartSource row{.table = "paper",
                        .x = "paper_ratio",
                        .category = {"paper_model", "paper_task", "paper_setting"},
                        .rows = all_rows(paper)};
  beside.series.push_back(
      {.name = "the paper's", .style = kPaperStyle, .shift = -kDodge, .source = row});
  beside.series.push_back({.name = "QAQ", .style = kQaqStyle, .shift = kDodge, .source = row});
  beside.series.back().source.x = "ratio_paper";
  out.panels = {std::move(ratios), std::move(accuracies), std::move(beside)};
  out.notes = {
      "Bars: 95 % intervals (Wilson). Counted as paper: scales, indices and bit map left out; "
      "nominal: scales counted; packed: all bytes. The paper's rows are of other models and "
      "shots."};
  return out;
}

}  // namespace qaq
