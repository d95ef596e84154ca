#include "app/scope/chart_figure.h"

#include <filesystem>

#include "core/base/text.h"
#include "core/base/version.h"
#include "data/results/experiment_file.h"
#include "views/plots/chart_plot.h"

namespace qaq::scope {
namespace {

void save(const Chart& chart, const FigureOptions& options, const std::string& origin) {
  views::ChartPlot plot;
  plot.setChart(chart);
  const views::FigureStyle style =
      styleOf(options, cat("qaq-scope ", program_version(), " (", program_commit(), "); ", origin));
  views::chartPage(plot, style).save(QString::fromStdString(options.output));
}

// Figures tell no folders.
std::string file_name(const std::string& path) {
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
  save(read_experiment_chart(options.files.front()), options, file_name(options.files.front()));
}

}  // namespace qaq::scope
