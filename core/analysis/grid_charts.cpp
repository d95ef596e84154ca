#include "core/analysis/grid_charts.h"

#include "core/analysis/chart_rows.h"

namespace qaq {
namespace {

ChartAxis ratio_axis(bool packed) {
  return {.label = packed ? "ratio_packed" : "ratio_paper", .unit = "1"};
}

}  // namespace

Chart tradeoff_chart(const Table& settings, const std::string& name, double whole) {
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
                    (packed ? "the bytes that are stored"
                            : "compression as the paper counts it");
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

}  // namespace qaq
