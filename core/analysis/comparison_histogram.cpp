#include "core/analysis/comparison_histogram.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/histogram.h"
#include "core/analysis/row_table.h"
#include "core/base/text.h"
#include "core/replay/replayer.h"

namespace qaq {
namespace {

constexpr std::int64_t kBins = 120;  // as of distributions

// The numbers of one head in the first `n_tokens` tokens that are left, as they are read again.
std::vector<double> numbers_left_by(const CountedRun& run, const CountedHead& head,
                                    std::int64_t layer_index, std::int64_t n_tokens,
                                    const Work& work) {
  Replayer replayer(*run.capture);
  const PlannedCaches plans = replayer.plans(run.options, work);
  const PlannedCache& cache = head.side == CacheSide::key ? plans.key : plans.value;
  const auto layer = quantized_layer(*run.capture, cache, layer_index);
  std::vector<double> out;
  for (std::int64_t token = 0; token < n_tokens; ++token) {
    if (!cache.plan.is_kept(layer_index, head.kv_head, token)) continue;
    const auto row = layer->sub(head.kv_head, token).span();
    out.insert(out.end(), row.begin(), row.end());
  }
  return out;
}

std::int64_t prefix_of(const CountedRun& run) {
  return checked_prefix(run.capture->info(), run.options.prefix);
}

ChartSeries outline(const CountedRun& run, int style, const Histogram& histogram) {
  ChartSeries out{.name = cat(style == kComparedA ? "A" : "B", "  ", run.name),
                  .mark = ChartMark::steps,
                  .style = style,
                  .open = style == kComparedB};
  for (std::int64_t bin = 0; bin < histogram.n_bins(); ++bin) {
    out.points.push_back({.x = histogram.centre(bin), .y = histogram.density(bin)});
  }
  return out;
}

}  // namespace

Chart comparison_histogram(const CountedRun& a, const CountedRun& b, const Alignment& alignment,
                           const CountedHead& head, const Work& work) {
  const char* letter = head.side == CacheSide::key ? "K" : "V";
  const std::int64_t n_tokens = std::min({prefix_of(a), prefix_of(b), alignment.n_tokens});
  Chart chart{.title = cat("Numbers of ", letter, ", as each setting leaves them"),
              .subtitle = cat("layer ", head.layer, ", KV head ", head.kv_head, ", ", n_tokens,
                              n_tokens == 1 ? " token" : " tokens", ", the same bins"),
              .columns = 1};
  ChartPanel panel{.x = {.label = "number"},
                   .y = {.label = "share per unit, log", .scale = ChartScale::log}};
  const auto pairs = layer_pairs(alignment, a.capture->info(), b.capture->info());
  const auto pair = std::ranges::find(pairs, head.layer, &LayerPair::layer);
  if (pair == pairs.end()) {
    chart.notes.emplace_back("one of the two captures holds no such layer");
    chart.panels.push_back(std::move(panel));
    return chart;
  }
  const std::vector<double> of_a = numbers_left_by(a, head, pair->in_a, n_tokens, work);
  const std::vector<double> of_b = numbers_left_by(b, head, pair->in_b, n_tokens, work);
  double largest = 0;
  for (const auto* numbers : {&of_a, &of_b}) {
    for (const double x : *numbers) largest = std::max(largest, std::abs(x));
  }
  // The largest number lies in the last bin, not on its end.
  const double edge = largest > 0 ? largest * (1 + 1e-6) : 1;
  for (const auto& [run, style, numbers] :
       {std::tuple{&a, kComparedA, &of_a}, std::tuple{&b, kComparedB, &of_b}}) {
    Histogram histogram(kBins, edge, edge);
    for (const double x : *numbers) histogram.add(x);
    panel.series.push_back(outline(*run, style, histogram));
  }
  chart.panels.push_back(std::move(panel));
  return chart;
}

Table comparison_histogram_table(const Chart& chart) {
  const std::vector<ChartSeries>& series = chart.panels.front().series;
  std::vector<std::vector<Cell>> rows;
  for (std::size_t bin = 0; !series.empty() && bin < series[0].points.size(); ++bin) {
    rows.push_back({real_cell(series[0].points[bin].x), real_cell(series[0].points[bin].y),
                    real_cell(series[1].points[bin].y)});
  }
  return table_of({{"number", ColumnKind::real, "1"},
                   {"a", ColumnKind::real, "1"},
                   {"b", ColumnKind::real, "1"}},
                  std::move(rows));
}

}  // namespace qaq
