#include "core/analysis/drift_experiment.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "core/analysis/experiment_settings.h"
#include "core/analysis/row_table.h"
#include "core/analysis/text_capture.h"
#include "core/base/text.h"
#include "core/evaluate/time_in.h"
#include "core/replay/streaming.h"

namespace qaq {
namespace {

constexpr std::int64_t kPrompt = 48, kSteps = 2000, kLeastSteps = 8;
constexpr std::int64_t kStepBins = 8;  // of the steps
constexpr int kStride = 16;            // steps from flush to flush
constexpr double kGrowth = 4.5;        // of the time, at twice the steps
constexpr std::int64_t kHalvings = 4;  // shorter runs before, that tell how long the next will take

// How a cache is kept while it grows.
struct CacheMethod {
  std::string name;
  QaqParams params;
  StreamingParams streaming;
};

std::vector<CacheMethod> methods() {
  std::vector<CacheMethod> out;
  const auto add = [&](const std::string& name, QaqParams params, bool history, DemoteFrom from) {
    StreamingParams streaming;
    params.plan_stride = kStride;
    streaming.requantize_history = history;
    streaming.demote_from = from;
    out.push_back({name, params, streaming});
  };
  for (const RangeChoice rule : {RangeChoice::mean_centred, RangeChoice::minmax}) {
    QaqParams flat = flat_params(3, 0.01);
    flat.key.range_rule = flat.value.range_rule = rule;
    const std::string name =
        cat("flat 3 bits ", ChoiceNames<RangeChoice>::names[static_cast<std::size_t>(rule)], ": ");
    add(name + "once", flat, false, DemoteFrom::gpu);
    add(name + "history at each flush", flat, true, DemoteFrom::gpu);
  }
  const QaqSetting setting{.e = 3};
  const std::string qaq = cat("qaq ", name_of(setting), ": ");
  add(qaq + "lowered in steps", qaq_params(setting), false, DemoteFrom::gpu);
  add(qaq + "from the whole copy", qaq_params(setting), false, DemoteFrom::cpu);
  return out;
}

struct Bin {
  std::int64_t first_step = 0, last_step = 0;                                  // from 1
  double attention_error = 0, output_error = 0, key_bits = 0, value_bits = 0;  // means
};

std::array<Bin, kStepBins> bins_of(const StreamingResult& result) {
  std::array<Bin, kStepBins> out;
  const std::int64_t n = std::ssize(result.steps);
  for (std::int64_t i = 0; i < kStepBins; ++i) {
    Bin& bin = out[static_cast<std::size_t>(i)];
    const std::int64_t first = i * n / kStepBins, end = (i + 1) * n / kStepBins;
    bin.first_step = first + 1;
    bin.last_step = end;
    for (std::int64_t at = first; at < end; ++at) {
      const StreamingStep& step = result.steps[static_cast<std::size_t>(at)];
      const auto share = 1 / static_cast<double>(end - first);
      bin.attention_error += share * step.attention_error;
      bin.output_error += share * step.output_error;
      bin.key_bits += share * step.key_mean_bits;
      bin.value_bits += share * step.value_mean_bits;
    }
  }
  return out;
}

// What a method left behind: times that a number was quantized, and how far it lies from exact.
struct Left {
  double times_quantized = 0, key_error = 0, value_error = 0;
};

double mean_of(const NdArray<float, 3>& numbers) {
  double sum = 0;
  for (const float x : numbers.span()) sum += x;
  return sum / static_cast<double>(numbers.size());
}

Left left_by(const StreamingResult& result) {
  Left out{0, mean_of(result.key.error), mean_of(result.value.error)};
  const auto add = [&](const StreamingStep& step) {
    out.times_quantized +=
        static_cast<double>(step.key.requantized_values + step.value.requantized_values);
  };
  add(result.prefill_step);
  for (const StreamingStep& step : result.steps) add(step);
  out.times_quantized /= static_cast<double>(result.key.values.size() + result.value.values.size());
  return out;
}

struct Runs {
  std::vector<std::array<Bin, kStepBins>> bins;  // by method
  std::vector<Left> left;
};

Runs run_methods(const ExperimentContext& context, const std::vector<CacheMethod>& all,
                 std::int64_t n_tokens) {
  const auto engine = context.open(n_tokens);
  const MemoryCapture capture =
      capture_of(*engine, beginning_of(context, n_tokens, n_tokens), context);
  Runs out;
  for (const CacheMethod& method : all) {
    context.work.report({"methods", std::ssize(out.left), std::ssize(all), "methods"});
    const SharedStreaming result = stream(capture, {method.params, method.streaming, kPrompt},
                                          Work(nullptr, context.work.stop_token()));
    out.bins.push_back(bins_of(*result));
    out.left.push_back(left_by(*result));
  }
  return out;
}

Chart drift_chart(const std::vector<CacheMethod>& all) {
  const ChartAxis x{.label = "decode step", .whole = true};
  ChartPanel output{.title = "Error of outputs",
                    .x = x,
                    .y = {.label = "mean squared error", .scale = ChartScale::log}};
  ChartPanel scores = output;
  ChartPanel bits{
      .title = "Bits of keys and values", .x = x, .y = {.label = "mean bits", .unit = "bit"}};
  scores.title = "Error of scores";
  for (std::size_t i = 0; i < all.size(); ++i) {
    ChartSeries series{.name = all[i].name,
                       .mark = ChartMark::line_points,
                       .style = static_cast<int>(i) / 2,
                       .open = i % 2 == 1,
                       .source = {.table = "", .x = "last_step", .y = "output_error"}};
    for (std::int64_t bin = 0; bin < kStepBins; ++bin) {
      series.source.rows.push_back(static_cast<std::int64_t>(i) * kStepBins + bin);
    }
    output.series.push_back(series);
    series.source.y = "attention_error";
    scores.series.push_back(series);
    series.source.y = "mean_bits";
    bits.series.push_back(series);
  }
  Chart out{.panels = {std::move(output), std::move(scores), std::move(bits)}};
  out.notes = {"Each point is the mean of the steps since the point before."};
  return out;
}

}  // namespace

ExperimentResult run_drift(const ExperimentContext& context) {
  const std::vector<CacheMethod> all = methods();
  const std::int64_t most =
      std::ssize(beginning_of(context, kPrompt + kLeastSteps, kPrompt + kSteps)) - kPrompt;
  ExperimentResult out;
  out.items = "decode steps";
  out.n_available = most;
  Runs runs;
  {
    const TimeIn time(out.seconds);
    double spent = 0, last = 0;
    for (std::int64_t shorter = kHalvings; shorter >= 0; --shorter) {
      const std::int64_t n = std::max(kLeastSteps, most >> shorter);
      if (n == out.n) continue;
      if (spent + kGrowth * last > context.seconds) break;
      last = 0;
      {
        const TimeIn one(last);
        runs = run_methods(context, all, kPrompt + n);
      }
      spent += last;
      out.n = n;
    }
  }
  std::vector<std::vector<Cell>> rows, left;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const Bin& bin : runs.bins[i]) {
      rows.push_back({all[i].name, bin.first_step, bin.last_step, real_cell(bin.output_error),
                      real_cell(bin.attention_error),
                      real_cell((bin.key_bits + bin.value_bits) / 2), real_cell(bin.key_bits),
                      real_cell(bin.value_bits)});
    }
    const Left& cache = runs.left[i];
    left.push_back({all[i].name, real_cell(cache.times_quantized), real_cell(cache.key_error),
                    real_cell(cache.value_error)});
    const Bin &first = runs.bins[i].front(), &end = runs.bins[i].back();
    out.remarks.push_back(cat(all[i].name, ": error of outputs ", short_text(first.output_error),
                              " over the first ", first.last_step, " steps, ",
                              short_text(end.output_error),
                              " over the last; each number was "
                              "quantized ",
                              short_text(cache.times_quantized), " times."));
  }
  const auto real = [](const char* name, const char* unit = "1") {
    return Column{.name = name, .kind = ColumnKind::real, .unit = unit};
  };
  out.tables.push_back({"", "Errors of a step's rows by decode step",
                        table_of({{.name = "method", .kind = ColumnKind::text},
                                  {.name = "first_step"},
                                  {.name = "last_step"},
                                  real("output_error"),
                                  real("attention_error"),
                                  real("mean_bits", "bit"),
                                  real("key_bits", "bit"),
                                  real("value_bits", "bit")},
                                 std::move(rows))});
  out.tables.push_back({"caches", "What is left behind the last step",
                        table_of({{.name = "method", .kind = ColumnKind::text},
                                  real("times_quantized"),
                                  real("key_error"),
                                  real("value_error")},
                                 std::move(left))});
  out.chart = drift_chart(all);
  out.settings.push_back(
      cat(kPrompt, " tokens of prompt, then decode as captured, step by step; every ", kStride,
          " steps a flush, which plans all tokens and quantizes the new ones; level head, 1 % "
          "outliers"));
  out.settings.push_back(
      "once: as a token comes; history at each flush: all tokens again, from what the cache holds "
      "and by its own range; lowered in steps: fewer bits from what the cache holds, more from the "
      "whole copy; from the whole copy: both");
  out.settings.push_back(
      "output_error: mean over layers, heads and channels of (X' - X)^2; attention_error: mean "
      "over "
      "layers, heads and keys of (S' - S)^2; key_error and value_error: of the cached numbers");
  return out;
}

}  // namespace qaq
