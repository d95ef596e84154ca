#include "core/analysis/tradeoff_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "core/analysis/pareto_front.h"
#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

struct Metric {
  std::string_view name, unit{};
  bool more_is_better = false;
  bool log = false;  // where no run has 0
};

// In the order in which an axis is chosen. Others can be asked for; less of them is better.
constexpr std::array kSaved{Metric{"ratio_packed", "", true}, Metric{"ratio_nominal", "", true},
                            Metric{"ratio_paper", "", true}, Metric{"average_n_bits", "bit"},
                            Metric{"average_size", "bit a token"}};
constexpr std::array kLost{Metric{"kl_mean", "nat", false, true},
                           Metric{"accuracy", "", true},
                           Metric{"perplexity", ""},
                           Metric{"output_error", "", false, true},
                           Metric{"attention_error", "", false, true},
                           Metric{"quantization_error", "", false, true},
                           Metric{"same_top", "", true},
                           Metric{"answer_log_probability", "nat", true}};

// What at least one run of every file has.
std::set<std::string> common_metrics(std::span<const TradeoffRuns> files) {
  std::set<std::string> common;
  for (std::size_t i = 0; i < files.size(); ++i) {
    std::set<std::string> here, both;
    for (const TradeoffRun& run : files[i].runs) {
      for (const auto& [name, value] : run.metrics) here.insert(name);
    }
    std::ranges::set_intersection(common, here, std::inserter(both, both.end()));
    common = i == 0 ? here : both;
  }
  return common;
}

Metric known(std::string_view name) {
  for (const auto& metrics : {std::span<const Metric>(kSaved), std::span<const Metric>(kLost)}) {
    const auto found = std::ranges::find(metrics, name, &Metric::name);
    if (found != metrics.end()) return *found;
  }
  return {.name = name};
}

Metric chosen(const char* flag, const std::optional<std::string>& name,
              std::span<const Metric> candidates, const std::set<std::string>& common) {
  std::string all;
  for (const std::string& each : common) all += (all.empty() ? "" : ", ") + each;
  if (common.empty()) {
    refuse_usage({.place = "tradeoff",
                  .what = "the files have no metric in common",
                  .cure = "draw each for itself"});
  }
  if (name) {
    // The flag's short word for it.
    const std::string full = *name == "kl" ? "kl_mean" : *name;
    if (const auto found = common.find(full); found != common.end()) return known(*found);
    refuse_usage({.place = flag,
                  .what = cat("not every file has runs with '", *name, "'"),
                  .cure = "choose one of " + all});
  }
  for (const Metric& metric : candidates) {
    if (common.contains(std::string(metric.name))) return metric;
  }
  refuse_usage({.place = flag,
                .what = "no metric that is drawn by itself is in every file",
                .cure = "choose one of " + all});
}

std::optional<double> value_of(const TradeoffRun& run, const Metric& metric) {
  const auto found = run.metrics.find(std::string(metric.name));
  if (found == run.metrics.end()) return {};
  return found->second;
}

// The runs that no other beats, from the one that saves least.
ChartSeries front_of(const std::vector<ChartPoint>& points, const Metric& x, const Metric& y) {
  std::vector<Tradeoff> all;
  for (const ChartPoint& point : points) {
    all.push_back({x.more_is_better ? point.x : -point.x, y.more_is_better ? -point.y : point.y});
  }
  ChartSeries out{
      .name = "no run saves more and loses less", .mark = ChartMark::dotted, .style = kPaperStyle};
  const std::vector<bool> best = pareto_front(all);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (best[i]) out.points.push_back({.x = points[i].x, .y = points[i].y});
  }
  std::ranges::stable_sort(out.points, {}, &ChartPoint::x);
  return out;
}

}  // namespace

Chart tradeoff_chart(std::span<const TradeoffRuns> files, const TradeoffAxes& axes) {
  const std::set<std::string> common = common_metrics(files);
  const Metric x = chosen("--x", axes.x, kSaved, common), y = chosen("--y", axes.y, kLost, common);
  ChartPanel panel{.x = {.label = std::string(x.name), .unit = std::string(x.unit)},
                   .y = {.label = std::string(y.name), .unit = std::string(y.unit)}};
  std::vector<ChartPoint> all;
  std::size_t n_runs = 0;
  int style = 0;  // of the file's first series
  for (const TradeoffRuns& file : files) {
    n_runs += file.runs.size();
    for (const bool by_attention : {false, true}) {
      ChartSeries series{.name = cat(file.name, file.authors ? " (the authors'): " : ": ",
                                     by_attention ? "bits by attention" : "flat bits"),
                         .style = (style + (by_attention ? kQaqStyle : kFlatStyle)) % kPaperStyle,
                         .open = file.authors};
      for (const TradeoffRun& run : file.runs) {
        const auto saved = value_of(run, x), lost = value_of(run, y);
        if (run.by_attention != by_attention || !saved || !lost) continue;
        ChartPoint point{.x = *saved, .y = *lost};
        if (y.name == "accuracy" && run.accuracy_interval) {
          std::tie(point.low, point.high) = *run.accuracy_interval;
        }
        series.points.push_back(point);
        all.push_back(point);
      }
      if (!series.points.empty()) panel.series.push_back(std::move(series));
    }
    style += 2;
  }
  const bool positive =
      std::ranges::all_of(all, [](const ChartPoint& point) { return point.y > 0; });
  if (y.log && positive) panel.y.scale = ChartScale::log;
  panel.series.insert(panel.series.begin(), front_of(all, x, y));
  Chart out{.title = cat(y.name, " against ", x.name), .columns = 1};
  out.subtitle = cat(all.size(), all.size() == 1 ? " run of " : " runs of ", files.size(),
                     files.size() == 1 ? " file" : " files");
  out.panels = {std::move(panel)};
  if (y.name == "accuracy") out.notes.emplace_back("Bars: 95 % intervals.");
  if (all.size() < n_runs) {
    const std::size_t n = n_runs - all.size();
    out.notes.push_back(
        cat("Not drawn, for want of one of the two: ", n, n == 1 ? " run." : " runs."));
  }
  return out;
}

}  // namespace qaq
