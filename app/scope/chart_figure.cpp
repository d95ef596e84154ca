#include "app/scope/chart_figure.h"

#include <array>
#include <filesystem>

#include "core/analysis/bound_charts.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "data/capture/capture_file.h"
#include "data/results/experiment_file.h"
#include "data/results/tradeoff_runs.h"
#include "views/plots/chart_plot.h"

namespace qaq::scope {
namespace {

// Of the targets that were given; that in the middle is theirs.
constexpr std::array kTargets{0.1, 0.3, 1.0, 3.0, 10.0};
constexpr std::size_t kGivenTarget = 2;

void save(const Chart& chart, const FigureOptions& options, const std::string& origin) {
  views::ChartPlot plot;
  plot.setChart(chart);
  const views::FigureStyle style =
      styleOf(options, cat("qaq-scope ", program_version(), " (", program_commit(), "); ", origin));
  views::chartPage(plot, style).save(QString::fromStdString(options.output));
}

// Figures tell no folders.
std::string fileName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

}  // namespace

views::FigureStyle styleOf(const FigureOptions& options, const std::string& provenance) {
  return {.theme = themeOf(options.common),
          .size = sizeOf(options.common).value_or(QSize()),
          .scale = options.scale,
          .provenance = QString::fromStdString(provenance)};
}

void drawExperiment(const FigureOptions& options) {
  save(read_experiment_chart(options.files.front()), options, fileName(options.files.front()));
}

void drawTradeoff(const FigureOptions& options) {
  std::vector<TradeoffRuns> files;
  std::string names;
  for (const std::string& path : options.files) {
    for (TradeoffRuns& runs : read_tradeoff_runs(path)) files.push_back(std::move(runs));
    names += (names.empty() ? "" : ", ") + fileName(path);
  }
  save(tradeoff_chart(files, {options.x, options.y}), options, names);
}

void drawBound(const FigureOptions& options) {
  const ScopeParams params = paramsOf(options.common);
  validate(params.qaq);
  const auto capture = open_capture(options.files.front());
  std::vector<std::shared_ptr<const BoundCheck>> checks;
  for (const double factor : kTargets) {
    BoundCheckOptions check{.replay = {.params = params.qaq, .prefix = options.common.prefix}};
    check.replay.params.key.target_quantization_error *= factor;
    check.replay.params.value.target_quantization_error *= factor;
    checks.push_back(check_bound(*capture, check));
  }
  Chart chart = bound_chart(checks, kGivenTarget);
  const CaptureInfo& info = capture->info();
  const BoundCheck& given = *checks[kGivenTarget];
  chart.title = cat("Promised errors of ", info.name);
  chart.subtitle =
      cat(info.model_name, ", the first ", given.prefix, " tokens quantized, judged on ",
          given.in_sample ? "the rows inside them (in-sample)" : "the rows behind them");
  const std::string changed =
      command_line_text(list_parameters(params), list_parameters(ScopeParams{}));
  save(chart, options,
       cat(info.name, "; ", info.model_name, "; --prefix ", given.prefix,
           changed.empty() ? "" : " " + changed));
}

}  // namespace qaq::scope
