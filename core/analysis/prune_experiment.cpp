// ext-prune
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "core/analysis/experiment_settings.h"
#include "core/analysis/extension_experiments.h"
#include "core/analysis/row_table.h"
#include "core/analysis/setting_runs.h"
#include "core/analysis/text_capture.h"
#include "core/base/text.h"
#include "core/evaluate/prefix_run.h"
#include "core/evaluate/time_in.h"

namespace qaq {
namespace {

constexpr std::int64_t kPrunedTokens = 384;  // of the text, at most
// In the order in which they are run, as many as the time allows.
constexpr std::array kPrunedShares{0.0, 0.3, 0.6, 0.2, 0.4, 0.1, 0.5};

constexpr std::size_t kFlatPolicy = 1;  // among these: of the same bytes whatever is pruned
std::vector<NamedSetting> pruned_policies() {
  return {{"qaq e 1 bits 1-8", qaq_params({.n_bits_max = 8})},
          {"flat 3 bits", flat_params(3, 0.01)},
          {"flat 2 bits", flat_params(2, 0.01)}};
}

// One policy on one pruned model, means over positions behind the prefix.
struct PrunedPoint {
  double share = 0;
  std::size_t policy = 0;
  double ratio_packed = 0;
  double kl = 0;                  // nat, against the same model with its whole cache
  double attention_error = 0;     // mean over scores of the prefix' columns
  double whole_nll = 0, nll = 0;  // nat a token, with the whole and with the quantized cache
};

std::vector<PrunedPoint> run_share(const ExperimentContext& context,
                                   std::span<const std::int32_t> ids, std::int64_t prefix,
                                   const std::vector<NamedSetting>& policies, double share) {
  std::vector<QaqParams> params;
  for (const NamedSetting& each : policies) params.push_back(each.params);
  const auto open = context.open_pruned(share);
  const std::int64_t n = std::ssize(ids);
  PrefixRun run([&] { return open(n); }, params, context.dtype);
  const Work silent(nullptr, context.work.stop_token());
  run.set_prefix(ids.first(static_cast<std::size_t>(prefix)), silent);
  const auto tail = ids.subspan(static_cast<std::size_t>(prefix));
  std::vector<std::int32_t> next(tail.begin() + 1, tail.end());
  next.push_back(-1);
  const std::vector<TailScores> scores = run.run_tail({tail, next}, silent);
  std::vector<PrunedPoint> out;
  for (std::size_t i = 0; i < policies.size(); ++i) {
    PrunedPoint point{.share = share, .policy = i, .ratio_packed = run.cache(i).ratio_packed};
    const auto& positions = scores[i].positions;
    for (const PositionScore& p : positions)
      point.kl += p.kl / static_cast<double>(positions.size());
    const auto n_known = static_cast<double>(positions.size() - 1);  // nothing follows the last
    for (std::size_t at = 0; at + 1 < positions.size(); ++at) {
      point.whole_nll += positions[at].reference_nll / n_known;
      point.nll += positions[at].nll / n_known;
    }
    point.attention_error = scores[i].attention_squares /
                            static_cast<double>(std::max<std::int64_t>(1, scores[i].n_attention));
    out.push_back(point);
  }
  return out;
}

const PrunedPoint& point_of(const std::vector<PrunedPoint>& points, double share,
                            std::size_t policy) {
  return *std::ranges::find_if(
      points, [&](const PrunedPoint& p) { return p.share == share && p.policy == policy; });
}

std::vector<std::string> prune_remarks(const std::vector<NamedSetting>& policies,
                                       const std::vector<PrunedPoint>& points) {
  const double most = points.back().share;
  const PrunedPoint &whole = point_of(points, 0, kFlatPolicy),
                    &pruned = point_of(points, most, kFlatPolicy);
  if (most == 0 || !(whole.kl > 0)) return {};
  std::vector<std::string> out{verdict_text(
      pruned.kl < whole.kl,
      cat("with ", short_text(100 * most), " % of the weights pruned the cache of ",
          policies[kFlatPolicy].name, " has a KL ", short_text(pruned.kl / whole.kl),
          " times that of the whole model's, at the same bits; each is against its own model with "
          "the whole cache."))};
  out.push_back(cat("Pruning alone takes the perplexity of the text from ",
                    short_text(std::exp(whole.whole_nll)), " to ",
                    short_text(std::exp(pruned.whole_nll)), "; ", policies[kFlatPolicy].name,
                    " alone take it to ", short_text(std::exp(whole.nll)), ", both together to ",
                    short_text(std::exp(pruned.nll)), "."));
  return out;
}

Chart prune_chart(const std::vector<NamedSetting>& policies,
                  const std::vector<PrunedPoint>& points) {
  ChartPanel kl{.title = "KL of a quantized cache, against the same model",
                .x = {.label = "share of weights pruned"},
                .y = {.label = "KL", .unit = "nat", .scale = ChartScale::log}};
  ChartPanel scores = kl, perplexity = kl;
  scores.title = "Error of scores";
  scores.y = {.label = "mean squared error", .scale = ChartScale::log};
  perplexity.title = "Perplexity of the text";
  perplexity.y = {.label = "perplexity", .scale = ChartScale::log};
  for (std::size_t policy = 0; policy < policies.size(); ++policy) {
    ChartSeries series{.name = policies[policy].name,
                       .mark = ChartMark::line_points,
                       .style = static_cast<int>(policy),
                       .source = {.table = "", .x = "share", .y = "kl"}};
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].policy == policy) series.source.rows.push_back(static_cast<std::int64_t>(i));
    }
    kl.series.push_back(series);
    series.source.y = "attention_error";
    scores.series.push_back(series);
    series.source.y = "perplexity";
    perplexity.series.push_back(series);
    if (policy + 1 < policies.size()) continue;
    series.name = "whole cache";
    series.style = kPaperStyle;
    series.source.y = "whole_perplexity";
    perplexity.series.push_back(std::move(series));
  }
  return {.panels = {std::move(kl), std::move(scores), std::move(perplexity)}};
}

}  // namespace

ExperimentResult run_ext_prune(const ExperimentContext& context) {
  ExperimentResult out;
  out.items = "tokens";
  out.n_available = std::ssize(context.text);
  const auto ids = beginning_of(context, 8, kPrunedTokens);
  out.n = std::ssize(ids);
  const std::int64_t prefix = (2 * out.n + 2) / 3;
  const std::vector<NamedSetting> policies = pruned_policies();
  std::vector<PrunedPoint> points;
  {
    const TimeIn time(out.seconds);
    double spent = 0, last = 0;
    std::int64_t n_run = 0;
    for (const double share : kPrunedShares) {
      context.work.throw_if_stopped();
      context.work.report({"experiment", n_run++, std::ssize(kPrunedShares), "models"});
      if (spent + last > context.seconds) break;
      last = 0;
      {
        const TimeIn one(last);
        const auto more = run_share(context, ids, prefix, policies, share);
        points.insert(points.end(), more.begin(), more.end());
      }
      spent += last;
    }
  }
  std::ranges::stable_sort(points, {}, &PrunedPoint::share);
  std::vector<std::vector<Cell>> rows;
  for (const PrunedPoint& p : points) {
    rows.push_back({real_cell(p.share), policies[p.policy].name, real_cell(p.ratio_packed),
                    real_cell(p.kl), real_cell(p.attention_error), real_cell(std::exp(p.nll)),
                    real_cell(std::exp(p.whole_nll))});
  }
  const auto real = [](const char* name, const char* unit = "1") {
    return Column{.name = name, .kind = ColumnKind::real, .unit = unit};
  };
  out.tables.push_back({"", "Quantized caches by share of weights pruned",
                        table_of({real("share"),
                                  {.name = "policy", .kind = ColumnKind::text},
                                  real("ratio_packed"),
                                  real("kl", "nat"),
                                  real("attention_error"),
                                  real("perplexity"),
                                  real("whole_perplexity")},
                                 std::move(rows))});
  out.chart = prune_chart(policies, points);
  out.settings.push_back(cat("the first ", prefix, " tokens quantized, the ", out.n - prefix,
                             " behind them run on that cache; level head, 1 % outliers"));
  out.settings.push_back(
      "share: of the weights of each linear map, those of least magnitude are 0; norms, biases, "
      "embedding and head stay. KL and errors are against the same pruned model with its whole "
      "cache; whole_perplexity is that model's");
  out.remarks = prune_remarks(policies, points);
  return out;
}

}  // namespace qaq
