// How long the window takes from a change of a parameter to the new bit map on the screen.
#include <QApplication>
#include <QElapsedTimer>
#include <algorithm>
#include <cstdio>
#include <vector>

#include "core/base/text.h"
#include "data/capture/capture_file.h"
#include "views/plots/bit_map_view.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"

namespace qaq::views {
namespace {

constexpr int kRounds = 15;

double median(std::vector<double> times) {
  std::ranges::sort(times);
  return times[times.size() / 2];
}

class Bench {
 public:
  explicit Bench(MainWindow& window) : m_window(window) {}

  void settle() const {
    for (int quiet = 0; quiet < 20; quiet = m_window.isSettled() ? quiet + 1 : 0) {
      QApplication::processEvents(QEventLoop::AllEvents, 10);
    }
  }

  /// Milliseconds until both bit panes show what `params` make of the capture.
  double bitsAfter(const ScopeParams& params) const {
    QElapsedTimer timer;
    timer.start();
    m_window.workspace().setParams(params, false);
    const auto panes = m_window.page()->view(QStringLiteral("bits"))->panes();
    const auto shown = [&] {
      const SharedSlice& slice = m_window.workspace().shown();
      return slice && same_parameters(slice->analysis->params, params) &&
             std::ranges::all_of(panes, [](const MapPane* pane) { return pane->isSettled(); });
    };
    while (!shown()) QApplication::processEvents(QEventLoop::WaitForMoreEvents);
    for (MapPane* pane : panes) pane->replot(QCustomPlot::rpImmediateRefresh);
    return static_cast<double>(timer.nsecsElapsed()) / 1e6;
  }

  void row(const char* name, const char* parameter, double from, double to) const {
    std::vector<double> times;
    for (int round = 0; round < kRounds; ++round) {
      ScopeParams params;
      const double value = from + (to - from) * round / kRounds;
      for (const Parameter& each : list_parameters(params)) {
        const bool whole = std::holds_alternative<std::int64_t>(each.value);
        if (each.name == cat("value.", parameter) || each.name == cat("key.", parameter)) {
          set_parameter(
              params, each.name,
              whole ? ParameterValue(static_cast<std::int64_t>(value)) : ParameterValue(value));
        }
      }
      if (same_parameters(params, m_window.workspace().params())) continue;
      times.push_back(bitsAfter(params));
      settle();
    }
    std::printf("%-24s %8.1f ms (least %.1f)\n", name, median(times),
                *std::ranges::min_element(times));
  }

 private:
  MainWindow& m_window;
};

}  // namespace
}  // namespace qaq::views

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: bench_window CAPTURE.h5\n");
    return 2;
  }
  qputenv("QT_QPA_PLATFORM", "offscreen");
  QApplication application(argc, argv);
  qaq::views::MainWindow window(
      [](const std::string& path, const qaq::Work& work) { return qaq::open_capture(path, work); });
  window.show();
  window.workspace().open(QString::fromLocal8Bit(argv[1]));
  const qaq::views::Bench bench(window);
  bench.settle();
  bench.row("target error", "target_quantization_error", 0.5, 20);
  bench.row("window", "last_n_attentions", 2, 40);
  bench.row("bits max", "n_bits_max", 2, 9);
  bench.row("outliers", "outliers_ratio", 0.001, 0.05);
  return 0;
}
