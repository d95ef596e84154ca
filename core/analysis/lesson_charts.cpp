#include "core/analysis/lesson_charts.h"

#include <algorithm>
#include <array>

#include "core/analysis/lesson_call.h"
#include "core/analysis/paper_results.h"
#include "core/evaluate/statistics.h"

namespace qaq {
namespace {

constexpr const char* kModel = "LLaMA-2-7B";
constexpr std::array kTasks{"hellaswag", "piqa", "mathqa"};
constexpr std::array kTaskTitles{"HellaSwag", "PIQA", "MathQA"};
constexpr std::array kTargets{"0.1", "0.3", "1", "3", "10", "30"};
constexpr int kPaperWithout = kPaperStyle - 1;  // a star has no hollow form
constexpr double kApart = 0.08;                 // of a category's place, between intervals

/// A run's loss with its interval; where that reaches 0 it begins at a third of the loss, since a
/// logarithmic axis has no 0.
ChartPoint loss_at(const MeasuredRuns& all, const std::string& run, double x) {
  const double loss = measured_metric(all, run, "kl_mean");
  const double half = measured_metric(all, run, "kl_interval");
  return {.x = x, .y = loss, .low = std::max(loss - half, loss / 3), .high = loss + half};
}

ChartPoint loss_by_ratio(const MeasuredRuns& all, const std::string& run) {
  return loss_at(all, run, measured_metric(all, run, "ratio_paper"));
}

ChartAxis loss_axis() { return {.label = "mean KL", .unit = "nat", .scale = ChartScale::log}; }

Chart chart_of(const MeasuredRuns& all, std::string title) {
  return {.title = std::move(title),
          .subtitle = cat(all.model, ", ", all.text, ", ", all.prefix, " tokens quantized, ",
                          all.n_positions, " scored"),
          .notes = {"Bars: 95 % intervals; one that reaches 0 is cut there."}};
}

/// Fig. 2(a): one cache quantized, the other exact.
Chart bits_chart(const MeasuredRuns& all) {
  Chart chart = chart_of(all, "Loss by bits, one cache quantized");
  chart.columns = 3;
  for (const char* level : {"head", "layer", "token"}) {
    ChartPanel panel{.title = cat("one scale a ", level), .x = {.label = "bits"}, .y = loss_axis()};
    for (const bool is_key : {true, false}) {
      ChartSeries series{.name = is_key ? "K only" : "V only",
                         .mark = ChartMark::line_points,
                         .style = is_key ? kKeyStyle : kValueStyle,
                         .open = !is_key,
                         .shift = is_key ? -kApart : kApart};
      for (int bits = 1; bits <= 8; ++bits) {
        series.points.push_back(
            loss_at(all, cat(is_key ? "key " : "value ", level, " ", bits), bits));
      }
      panel.series.push_back(std::move(series));
    }
    chart.panels.push_back(std::move(panel));
  }
  // The panels are held against each other.
  double least = chart.panels[0].series[0].points[0].low, most = least;
  for (const ChartPanel& panel : chart.panels) {
    for (const ChartSeries& series : panel.series) {
      for (const ChartPoint& point : series.points) {
        least = std::min(least, point.low);
        most = std::max(most, point.high);
      }
    }
  }
  for (ChartPanel& panel : chart.panels) {
    panel.y.least = least / 1.2;
    panel.y.most = most * 1.2;
  }
  return chart;
}

/// One proposal of the paper left out and with it: a table of the paper, and the same by our runs.
struct Proposal {
  const char *title, *item;
  const char *without, *with;          ///< as the paper's table calls them
  const char *without_run, *with_run;  ///< "RUN TARGET"
};

ChartPanel paper_panel(const Proposal& of, std::int64_t questions) {
  ChartPanel panel{.title = "the paper: LLaMA-2-7B",
                   .x = {.label = "task", .scale = ChartScale::category},
                   .y = {.label = "accuracy"}};
  for (const char* task : kTaskTitles) panel.x.names.emplace_back(task);
  for (const bool is_with : {false, true}) {
    const std::string_view what = is_with ? of.with : of.without;
    ChartSeries series{.name = cat("the paper’s, ", what),
                       .style = is_with ? kPaperStyle : kPaperWithout,
                       .shift = is_with ? kApart : -kApart};
    for (std::size_t task = 0; task < kTasks.size(); ++task) {
      for (const PaperNumber& number : paper_numbers(of.item, kTasks[task])) {
        if (number.model != kModel || number.what != what || !number.accuracy) continue;
        const double half = normal_half_interval(*number.accuracy, questions);
        series.points.push_back({.x = static_cast<double>(task),
                                 .y = *number.accuracy,
                                 .low = *number.accuracy - half,
                                 .high = *number.accuracy + half});
      }
    }
    panel.series.push_back(std::move(series));
  }
  return panel;
}

Chart proposal_chart(const MeasuredRuns& all, const Proposal& of) {
  Chart chart = chart_of(all, of.title);
  chart.panels.push_back(paper_panel(of, kPaperQuestions));
  ChartPanel ours{.title = "here: e from 0.1 to 30",
                  .x = {.label = "compression, the paper’s count", .unit = "×"},
                  .y = loss_axis()};
  for (const bool is_with : {false, true}) {
    ChartSeries series{.name = cat("ours, ", is_with ? of.with : of.without),
                       .mark = ChartMark::line_points,
                       .style = kQaqStyle,
                       .open = !is_with};
    for (const char* target : kTargets) {
      series.points.push_back(
          loss_by_ratio(all, cat(is_with ? of.with_run : of.without_run, " ", target)));
    }
    ours.series.push_back(std::move(series));
  }
  chart.panels.push_back(std::move(ours));
  return chart;
}

Chart window_chart(const MeasuredRuns& all) {
  return proposal_chart(all, {.title = "A window of 1 against 5",
                              .item = "table3",
                              .without = "window 1",
                              .with = "window 5",
                              .without_run = "window 1 at",
                              .with_run = "qaq"});
}

Chart outlier_chart(const MeasuredRuns& all) {
  return proposal_chart(all, {.title = "No outliers kept against 1 %",
                              .item = "table2",
                              .without = "without outliers",
                              .with = "1 % outliers",
                              .without_run = "no outliers at",
                              .with_run = "qaq"});
}

/// Fig. 4 with our loss; what the paper prints are ratios, which stand as lines.
Chart tradeoff_lesson_chart(const MeasuredRuns& all) {
  Chart chart = chart_of(all, "Loss against compression");
  for (const auto& [metric, label] : {std::pair{"ratio_paper", "compression, the paper’s count"},
                                      std::pair{"ratio_packed", "compression, packed"}}) {
    ChartPanel panel{.title = label, .x = {.label = "compression", .unit = "×"}, .y = loss_axis()};
    for (const bool is_qaq : {true, false}) {
      ChartSeries series{.name = is_qaq ? "QAQ, e from 0.1 to 30" : "flat bits, 1 to 8",
                         .mark = ChartMark::line_points,
                         .style = is_qaq ? kQaqStyle : kFlatStyle,
                         .open = !is_qaq};
      const auto add = [&](const std::string& run) {
        series.points.push_back(loss_at(all, run, measured_metric(all, run, metric)));
      };
      if (is_qaq) {
        for (const char* target : kTargets) add(cat("qaq ", target));
      } else {
        for (const int bits : {1, 2, 3, 4, 6, 8}) add(cat("flat ", bits));
      }
      panel.series.push_back(std::move(series));
    }
    chart.panels.push_back(std::move(panel));
  }
  // The paper's ratios have no loss of ours: they are strokes on the axis.
  ChartSeries printed{.name = "the paper’s ratios of flat bits (Fig. 4)",
                      .mark = ChartMark::rug,
                      .style = kPaperStyle};
  for (const PaperNumber& number : paper_numbers("fig4", "hellaswag")) {
    if (number.ratio) printed.points.push_back({.x = *number.ratio});
  }
  chart.panels.front().series.push_back(std::move(printed));
  for (const PaperNumber& number : paper_numbers("table1", "hellaswag")) {
    if (number.model != kModel || !number.ratio) continue;
    chart.panels.front().lines.push_back(
        {.kind = ChartLineKind::x, .at = *number.ratio, .label = "the paper’s QAQ (Table 1)"});
  }
  return chart;
}

struct KnownChart {
  const char* name;
  Chart (*make)(const MeasuredRuns&);
};

// To add one: a function and its line.
constexpr std::array kCharts{KnownChart{"bits", bits_chart}, KnownChart{"window", window_chart},
                             KnownChart{"outliers", outlier_chart},
                             KnownChart{"tradeoff", tradeoff_lesson_chart}};

}  // namespace

Chart lesson_chart(std::string_view name, const LessonData& data) {
  const auto found = std::ranges::find(kCharts, name, &KnownChart::name);
  if (found == kCharts.end()) {
    const auto nearest = nearest_name(name, lesson_chart_names());
    refuse_lesson(
        std::string(name), "no such chart",
        nearest ? cat("did you mean ", *nearest, "?") : "see core/analysis/lesson_charts.cpp");
  }
  if (!data.measured) refuse_lesson(std::string(name), "needs measured runs", "it is not at hand");
  return found->make(*data.measured);
}

std::vector<std::string> lesson_chart_names() {
  std::vector<std::string> names;
  for (const KnownChart& chart : kCharts) names.emplace_back(chart.name);
  return names;
}

}  // namespace qaq
