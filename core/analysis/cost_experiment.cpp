#include "core/analysis/cost_experiment.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "core/analysis/chart_rows.h"
#include "core/analysis/row_table.h"
#include "core/analysis/step_costs.h"
#include "core/analysis/text_capture.h"
#include "core/base/text.h"
#include "core/evaluate/time_in.h"

namespace qaq {
namespace {

constexpr std::int64_t kShortest = 32, kLongest = 4096;  // tokens, doubled in between
constexpr int kForwardStyle = 7;                         // of the chart

// --- At one length: outliers, window and the width of units varied

constexpr std::int64_t kVariedTokens = 512;  // at most
constexpr double kVariedShare = 0.25;        // of the time, for all that is varied
constexpr std::array kRatios{0.0, 0.01, 0.05, 0.1};
constexpr std::array kWindows{1, 5, 20, 50};
constexpr std::array kLevels{Level::head, Level::layer, Level::token};
constexpr std::int64_t kVaried = std::ssize(kRatios) + std::ssize(kWindows) + std::ssize(kLevels);

// Numbers in a unit.
double unit_width(Level level, const ModelShape& shape) {
  const std::int64_t of_layer = shape.n_kv_heads * shape.head_dim;
  if (level == Level::head) return static_cast<double>(shape.head_dim);
  return static_cast<double>(level == Level::layer ? of_layer : of_layer * shape.n_layers);
}

void append_steps(const StepCosts& costs, std::vector<Cell>& row) {
  for (const CostSamples& step : costs.steps) row.push_back(real_cell(step.median()));
}

// A row for each: what is varied, its value, seconds of each step, all over the forward pass's.
std::vector<std::vector<Cell>> varied_rows(const MemoryCapture& capture, double forward,
                                           const Work& work) {
  std::vector<std::vector<Cell>> rows;
  const auto add = [&](std::int64_t what, double value, const CostCase& of) {
    work.throw_if_stopped();
    StepCosts costs;
    for (std::size_t repeat = 0; repeat < CostSamples::kRepeats; ++repeat) {
      measure_steps(capture, of, repeat, costs, work);
    }
    rows.push_back({what, real_cell(value)});
    append_steps(costs, rows.back());
    rows.back().push_back(real_cell(costs.qaq() / forward));
  };
  // The first brings the capture's pages and the buffers into memory.
  StepCosts ignored;
  measure_steps(capture, {}, 0, ignored, work);
  for (const double ratio : kRatios) add(0, ratio, {.outliers_ratio = ratio});
  for (const int window : kWindows) add(1, window, {.window = window});
  for (const Level level : kLevels) {
    add(2, unit_width(level, capture.info().shape), {.level = level});
  }
  return rows;
}

// --- The chart

void add_steps(const ChartSource& source, const std::string& ending, ChartPanel& panel,
               ChartMark mark) {
  int style = 0;
  for (const std::string_view step : kCostSteps) {
    ChartSeries series{.name = std::string(step), .mark = mark, .style = style++, .source = source};
    series.source.y = cat(step, ending);
    panel.series.push_back(std::move(series));
  }
}

Chart cost_chart(const Table& varied, std::int64_t n_varied) {
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
  add_steps({.table = "", .x = "n_tokens"}, "", times, ChartMark::line_points);
  add_steps({.table = "", .category = {"n_tokens"}}, "_over_forward", shares, ChartMark::bars);
  Chart out{.panels = {std::move(times), std::move(shares)}};
  for (const auto& [what, label] :
       {std::pair{"outliers_ratio", "share of outliers"},
        std::pair{"window", "window of attention"}, std::pair{"unit_width", "numbers in a unit"}}) {
    ChartPanel panel{.title = cat("Time by ", label, ", ", n_varied, " tokens"),
                     .x = {.label = label, .scale = ChartScale::category},
                     .y = {.label = "time", .unit = "s"}};
    ChartSource source{.table = "varied", .category = {"value"}};
    source.rows = rows_beginning(varied, "varied", what);
    add_steps(source, "", panel, ChartMark::bars);
    out.panels.push_back(std::move(panel));
  }
  out.notes = {
      "Medians of three. Times are of this machine, whatever else ran on it. A unit is one head's "
      "row, a layer's or a token's (level head, layer, token)."};
  return out;
}

}  // namespace

ExperimentResult run_cost(const ExperimentContext& context) {
  ExperimentResult out;
  out.items = "tokens";
  out.n_available = std::ssize(context.text);
  std::vector<std::vector<Cell>> rows, varied;
  double first_share = 0, last_share = 0;
  std::int64_t n_varied = 0;
  const auto most = std::ssize(beginning_of(context, kShortest, kLongest));
  {
    const TimeIn all(out.seconds);
    double spent = 0, last = 0, forward = 0;
    for (std::int64_t n = kShortest; n <= most; n *= 2) {
      // Twice the tokens take up to four times as long.
      if (spent + 4 * last > (1 - kVariedShare) * context.seconds) break;
      StepCosts costs;
      last = 0;
      {
        const TimeIn time(last);
        const auto engine = context.open(n);
        const auto ids = beginning_of(context, n, n);
        for (std::size_t repeat = 0; repeat < CostSamples::kRepeats; ++repeat) {
          context.work.throw_if_stopped();
          measure_forward(*engine, ids, repeat, costs, context.work);
          measure_steps(capture_of(*engine, ids, context), {}, repeat, costs, context.work);
        }
      }
      spent += last;
      last_share = costs.qaq() / costs.forward.median();
      if (out.n == 0) first_share = last_share;
      out.n = n;
      rows.push_back({n, real_cell(costs.forward.median())});
      append_steps(costs, rows.back());
      rows.back().push_back(real_cell(last_share));
      for (const CostSamples& step : costs.steps) {
        rows.back().push_back(real_cell(step.median() / costs.forward.median()));
      }
      const double all_varied = kVaried * CostSamples::kRepeats * costs.qaq();
      const bool fits = n <= kVariedTokens && all_varied <= kVariedShare * context.seconds;
      if (fits || n_varied == 0) {
        n_varied = n;
        forward = costs.forward.median();
      }
      context.work.report({"experiment", n, most, "tokens"});
    }
    const auto engine = context.open(n_varied);
    varied = varied_rows(capture_of(*engine, beginning_of(context, n_varied, n_varied), context),
                         forward, context.work);
  }
  const auto share = [](std::string_view name) {
    return Column{.name = cat(name, "_over_forward"), .kind = ColumnKind::real, .unit = "1"};
  };
  const auto seconds = [](std::string_view name) {
    return Column{.name = std::string(name), .kind = ColumnKind::real, .unit = "s"};
  };
  std::vector<Column> columns{{.name = "n_tokens"}, seconds("forward")};
  std::ranges::transform(kCostSteps, std::back_inserter(columns), seconds);
  columns.push_back(share("qaq"));
  std::ranges::transform(kCostSteps, std::back_inserter(columns), share);
  out.tables.push_back({"", "Seconds by length of the cache, medians of three",
                        table_of(std::move(columns), std::move(rows))});
  columns = {{.name = "varied",
              .kind = ColumnKind::choice,
              .choices = {"outliers_ratio", "window", "unit_width"}},
             {.name = "value", .kind = ColumnKind::real, .unit = "1"}};
  std::ranges::transform(kCostSteps, std::back_inserter(columns), seconds);
  columns.push_back(share("qaq"));
  out.tables.push_back({"varied", cat("Seconds at ", n_varied, " tokens, one thing varied"),
                        table_of(std::move(columns), std::move(varied))});
  out.chart = cost_chart(out.tables.back().table, n_varied);
  out.settings.push_back(
      "QAQ, e 1, 1 to 4 bits, level head, window 5, 1 % outliers where these are not varied, all "
      "layers, K and V; forward: the prompt in one batch; statistics: ranges and means of every "
      "unit; outliers: what their order statistics take beside; window: importance of every token "
      "from the window's attention, which is derived from queries and keys here; planning: bits "
      "from these; quantizing: values as they are read "
      "again; packing: bytes; transfer: these copied in this machine's memory; unit_width: numbers "
      "in a unit at level head, layer and token");
  out.remarks.push_back(cat("QAQ's steps together take ", short_text(first_share),
                            " of the forward pass of ", kShortest, " tokens and ",
                            short_text(last_share), " of that of ", out.n,
                            ". Times are of this machine, whatever else ran on it."));
  return out;
}

}  // namespace qaq
