#include "app/scope/chart_figure.h"

#include <array>
#include <filesystem>

#include "app/scope/stored_runs.h"
#include "core/analysis/bound_charts.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "data/capture/capture_file.h"
#include "data/results/experiment_file.h"
#include "data/results/tradeoff_runs.h"
#include "views/models/provenance.h"
#include "views/plots/chart_plot.h"
#include "views/plots/tradeoff_view.h"

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

// Of a capture: its stored runs, and what the flags set.
void drawRuns(const FigureOptions& options) {
  const std::string& path = options.files.front();
  const auto refuse_axis = [](const char* flag, const std::string& name, const std::string& all) {
    refuse_usage({.place = flag,
                  .what = cat("'", name, "' is no axis of a capture's runs"),
                  .cure = "choose one of " + all});
  };
  if (options.files.size() > 1) {
    refuse_usage({.place = options.files[1],
                  .what = "is one file too many beside a capture",
                  .cure = "name the capture alone, or results files"});
  }
  if (options.x && *options.x != "ratio_packed" && *options.x != "ratio_nominal") {
    refuse_axis("--x", *options.x, "ratio_packed, ratio_nominal");
  }
  const auto analysis = views::analyse({.capture = open_capture(path),
                                        .params = paramsOf(options.common),
                                        .prefix = options.common.prefix});
  views::SelectionModel selection;
  views::TradeoffView view(&selection);
  view.setTheme(views::Theme::of(themeOf(options.common)));
  view.setRuns(std::make_shared<const std::vector<RunSummary>>(storedRuns(path)));
  view.setAccounting(options.x == "ratio_nominal" ? Accounting::nominal : Accounting::packed);
  if (options.y) view.setLoss(QString::fromStdString(*options.y == "kl" ? "kl_mean" : *options.y));
  view.show(views::loadSlice(analysis, views::defaultSlice(*analysis)));
  if (options.y && view.loss().toStdString() != (*options.y == "kl" ? "kl_mean" : *options.y)) {
    std::string all;
    for (const std::string& loss : losses_of(view.runs())) all += (all.empty() ? "" : ", ") + loss;
    refuse_axis("--y", *options.y, all);
  }
  const views::FigurePage page(
      [&](QCPPainter* painter, const QSize& size) { view.paintFigure(painter, size); },
      view.title(), view.figureSize(), styleOf(options, views::provenanceText(*analysis)));
  page.save(QString::fromStdString(options.output));
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
  if (is_capture(options.files.front())) {
    drawRuns(options);
    return;
  }
  for (const auto& [flag, given] : settingFlags(options.common)) {
    if (!given) continue;
    refuse_usage({.place = flag,
                  .what = "sets nothing of results files, whose runs are done",
                  .cure = "leave it out, or name a capture"});
  }
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
  if (!params.is_qaq()) {
    refuse_usage(
        {.place = "--policy",
         .what = cat(params.policy, " promises no error, so that there is no bound to draw"),
         .cure = "leave it out: qaq"});
  }
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
  const std::string changed = command_line_text(params);
  save(chart, options,
       cat(info.name, "; ", info.model_name, "; --prefix ", given.prefix,
           changed.empty() ? "" : " " + changed));
}

}  // namespace qaq::scope
