#include "core/analysis/risk.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <utility>

#include "core/analysis/capture_diagnosis.h"
#include "core/analysis/head_facts.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

// Of query heads, (n_layers, n_heads), to KV heads: the mean over the group.
NdArray<double, 2> mean_of_groups(const NdArray<double, 2>& numbers, std::int64_t n_kv_heads) {
  const std::int64_t group = numbers.shape(1) / n_kv_heads;
  NdArray<double, 2> out({numbers.shape(0), n_kv_heads});
  for (std::int64_t layer = 0; layer < numbers.shape(0); ++layer) {
    for (std::int64_t head = 0; head < numbers.shape(1); ++head) {
      out(layer, head / group) += numbers(layer, head) / static_cast<double>(group);
    }
  }
  return out;
}

}  // namespace

std::vector<std::int64_t> Risk::ranked_by(std::size_t statistic) const {
  const HeadStatistic& by = head_statistics()[statistic];
  const auto of_head = statistics.sub(static_cast<std::int64_t>(statistic)).span();
  if (!std::ranges::all_of(of_head, [](double x) { return std::isfinite(x); })) {
    refuse_usage({.place = "--by",
                  .what = cat("the first ", prefix, " tokens do not tell ", by.name,
                              ", which needs queries and rows of attention"),
                  .cure = "take another statistic, or a capture of more tokens and rows"});
  }
  std::vector<std::int64_t> out(of_head.size());
  std::iota(out.begin(), out.end(), 0);
  std::ranges::stable_sort(out, std::greater(), [&](std::int64_t head) {
    const double x = of_head[static_cast<std::size_t>(head)];
    return by.low_is_risky ? -x : x;
  });
  return out;
}

Risk assess_risk(const CaptureView& capture, const ReplayOptions& options,
                 const ViolationParams& violation, const Work& work) {
  const CaptureInfo& info = capture.info();
  const SharedReplay result = replay(capture, options, work);
  require_output_errors(*result, info);
  Risk out;
  out.layers = info.layers;
  out.n_kv_heads = info.shape.n_kv_heads;
  out.prefix = result->prefix;
  out.in_sample = result->in_sample;
  out.statistics = measure_heads(capture,
                                 {.n_tokens = out.prefix,
                                  .violation = violation,
                                  .default_window = options.params.value.last_n_attentions},
                                 work);
  const std::int64_t first = first_replayed_row(info, out.prefix);
  add_damage(out, {.name = "output_error",
                   .what = "squared error of the head's outputs, mean",
                   .unit = "1",
                   .of_head = mean_of_groups(mean_over_rows(result->output_error, first),
                                             out.n_kv_heads)});
  return out;
}

void add_damage(Risk& risk, HeadDamage damage) {
  auto& correlations = risk.correlations.emplace_back();
  for (std::int64_t i = 0; i < risk.statistics.shape(0); ++i) {
    correlations.push_back(
        rank_correlation(risk.statistics.sub(i).span(), std::as_const(damage).of_head.span()));
  }
  risk.damages.push_back(std::move(damage));
}

HeadDamage kl_damage(NdArray<double, 2> of_head) {
  return {.name = "kl",
          .what = "KL behind the prefix with this head alone quantized, mean",
          .unit = "nat",
          .mode = RunMode::in_the_model,
          .of_head = std::move(of_head)};
}

std::string verdict_on(const std::optional<RankCorrelation>& correlation, bool low_is_risky) {
  if (!correlation) return "says nothing";
  if (correlation->may_be_chance()) return "no better than chance";
  return (correlation->rho < 0) == low_is_risky ? "predicts" : "predicts the opposite";
}

}  // namespace qaq
