#include "core/analysis/cost_experiment.h"

#include <algorithm>
#include <array>

#include "core/analysis/experiment_settings.h"
#include "core/analysis/row_table.h"
#include "core/analysis/text_capture.h"
#include "core/base/text.h"
#include "core/evaluate/time_in.h"
#include "core/replay/cache_replay.h"
#include "core/replay/pack_cache.h"
#include "core/replay/replayer.h"

namespace qaq {
namespace {

constexpr std::int64_t kShortest = 32, kLongest = 4096;  // tokens, doubled in between
constexpr std::size_t kRepeats = 3;
constexpr int kForwardStyle = 7;  // of the chart

// Seconds of one step, by repeat.
struct Samples {
  std::array<double, kRepeats> seconds{};
  double median() const {
    auto sorted = seconds;
    std::ranges::sort(sorted);
    return sorted[kRepeats / 2];
  }
};

struct Costs {
  Samples forward, statistics, planning, quantizing, packing;
};

void measure(Engine& engine, std::span<const std::int32_t> ids, std::size_t repeat, Costs& costs,
             const Work& work) {
  const Work silent(nullptr, work.stop_token());
  {
    const TimeIn time(costs.forward.seconds[repeat]);
    engine.keep(0);
    engine.run(ids, nullptr, silent);
  }
  const MemoryCapture capture = capture_of(engine, ids, work);
  Replayer replayer(capture);
  QaqSetting setting{.e = 3};
  {
    const TimeIn time(costs.statistics.seconds[repeat]);
    replayer.plans({qaq_params(setting), 0}, silent);
  }
  // Another budget leaves statistics and importance as they are: what is left is planning.
  setting.e = 1;
  PlannedCaches plans;
  {
    const TimeIn time(costs.planning.seconds[repeat]);
    plans = replayer.plans({qaq_params(setting), 0}, silent);
  }
  costs.statistics.seconds[repeat] -= costs.planning.seconds[repeat];
  {
    const TimeIn time(costs.quantizing.seconds[repeat]);
    for (std::int64_t layer = 0; layer < capture.info().n_captured_layers(); ++layer) {
      quantized_layer(capture, plans.key, layer);
      quantized_layer(capture, plans.value, layer);
    }
  }
  {
    const TimeIn time(costs.packing.seconds[repeat]);
    pack_cache(capture, plans.key, silent);
    pack_cache(capture, plans.value, silent);
  }
}

Chart cost_chart() {
  ChartPanel times{.title = "Time by length of the cache",
                   .x = {.label = "tokens", .scale = ChartScale::log},
                   .y = {.label = "time", .unit = "s", .scale = ChartScale::log}};
  ChartPanel shares{.title = "QAQ's steps, over the forward pass's time",
                    .x = {.label = "tokens", .scale = ChartScale::category},
                    .y = {.label = "time over the forward pass's"}};
  times.series.push_back({.name = "forward",
                          .mark = ChartMark::line_points,
                          .style = kForwardStyle,
                          .source = {.table = "", .x = "n_tokens", .y = "forward"}});
  int style = 0;
  for (const std::string step : {"statistics", "planning", "quantizing", "packing"}) {
    ChartSeries series{.name = step,
                       .mark = ChartMark::line_points,
                       .style = style++,
                       .source = {.table = "", .x = "n_tokens", .y = step}};
    times.series.push_back(series);
    series.mark = ChartMark::bars;
    series.source = {.table = "", .y = step + "_over_forward", .category = {"n_tokens"}};
    shares.series.push_back(series);
  }
  Chart out{.panels = {std::move(times), std::move(shares)}};
  out.notes = {"Medians of three. Times are of this machine, whatever else ran on it."};
  return out;
}

}  // namespace

ExperimentResult run_cost(const ExperimentContext& context) {
  ExperimentResult out;
  out.items = "tokens";
  out.n_available = std::ssize(context.text);
  std::vector<std::vector<Cell>> rows;
  double first_share = 0, last_share = 0;
  const auto most = std::ssize(beginning_of(context, kShortest, kLongest));
  {
    const TimeIn all(out.seconds);
    double spent = 0, last = 0;
    for (std::int64_t n = kShortest; n <= most; n *= 2) {
      // Twice the tokens take up to four times as long.
      if (spent + 4 * last > context.seconds) break;
      Costs costs;
      last = 0;
      {
        const TimeIn time(last);
        const auto engine = context.open(n);
        for (std::size_t repeat = 0; repeat < kRepeats; ++repeat) {
          context.work.throw_if_stopped();
          measure(*engine, beginning_of(context, n, n), repeat, costs, context.work);
        }
      }
      spent += last;
      const double qaq = costs.statistics.median() + costs.planning.median() +
                         costs.quantizing.median() + costs.packing.median();
      last_share = qaq / costs.forward.median();
      if (out.n == 0) first_share = last_share;
      out.n = n;
      rows.push_back({n, real_cell(costs.forward.median()), real_cell(costs.statistics.median()),
                      real_cell(costs.planning.median()), real_cell(costs.quantizing.median()),
                      real_cell(costs.packing.median()), real_cell(last_share)});
      for (const Samples* step :
           {&costs.statistics, &costs.planning, &costs.quantizing, &costs.packing}) {
        rows.back().push_back(real_cell(step->median() / costs.forward.median()));
      }
      context.work.report({"experiment", n, most, "tokens"});
    }
  }
  const auto share = [](const char* name) {
    return Column{.name = cat(name, "_over_forward"), .kind = ColumnKind::real, .unit = "1"};
  };
  const auto seconds = [](const char* name) {
    return Column{.name = name, .kind = ColumnKind::real, .unit = "s"};
  };
  out.tables.push_back({"", "Seconds by length of the cache, medians of three",
                        table_of({{.name = "n_tokens"},
                                  seconds("forward"),
                                  seconds("statistics"),
                                  seconds("planning"),
                                  seconds("quantizing"),
                                  seconds("packing"),
                                  share("qaq"),
                                  share("statistics"),
                                  share("planning"),
                                  share("quantizing"),
                                  share("packing")},
                                 std::move(rows))});
  out.chart = cost_chart();
  out.settings.push_back(
      "QAQ, e 1, 1 to 4 bits, window 5, 1 % outliers, all layers, K and V; forward: the prompt in "
      "one "
      "batch; statistics: ranges, outliers and importance of every unit; "
      "planning: bits from these; quantizing: values as they are read again; "
      "packing: bytes");
  out.remarks.push_back(cat("QAQ's steps together take ", short_text(first_share),
                            " of the forward pass of ", kShortest, " tokens and ",
                            short_text(last_share), " of that of ", out.n,
                            ". Times are of this machine, whatever else ran on it."));
  return out;
}

}  // namespace qaq
