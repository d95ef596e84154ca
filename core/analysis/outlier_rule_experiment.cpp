// ext-nsigma
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/analysis/byte_budget.h"
#include "core/analysis/experiment_settings.h"
#include "core/analysis/extension_experiments.h"
#include "core/analysis/row_table.h"
#include "core/analysis/text_capture.h"
#include "core/base/text.h"
#include "core/evaluate/time_in.h"
#include "core/replay/replayer.h"

namespace qaq {
namespace {

constexpr std::int64_t kRuleTokens = 384;  // of the text, at most
// Targets of the authors' rule whose packed bytes all rules are given.
constexpr std::array kRuleTargets{0.03, 0.1, 0.3, 1.0, 3.0, 10.0};

// Which values are kept exactly.
struct OutlierCase {
  std::string name;
  QaqParams params;
  bool by_deviation = false;
};

constexpr std::size_t kNoOutliers = 0, kDefaultQuantile = 1, kDefaultSigma = 5;  // among these
std::vector<OutlierCase> outlier_cases() {
  QaqParams plain = qaq_params({.n_bits_min = 0, .n_bits_max = 8});
  std::vector<OutlierCase> out;
  for (const double ratio : {0.0, 0.01, 0.05}) {
    plain.key.outliers_ratio = plain.value.outliers_ratio = ratio;
    const std::string name =
        ratio == 0 ? std::string("none") : cat("quantile ", short_text(100 * ratio), " %");
    out.push_back({name, plain});
  }
  for (const double n_sigma : {2.0, 2.5, 3.0, 4.0}) {
    for (QaqSideParams* side : {&plain.key, &plain.value}) {
      side->outlier_rule = OutlierRule::nsigma;
      side->n_sigma = n_sigma;
    }
    out.push_back({cat("nsigma ", number_text(n_sigma)), plain, true});
  }
  return out;
}

struct RulePoint {
  std::size_t rule = 0;
  std::int64_t budget = 0;  // bytes of both caches
  SharedReplay replay;

  double n_values() const {
    return static_cast<double>(replay->key.n_values + replay->value.n_values);
  }
  double bits(std::int64_t bytes) const { return 8 * static_cast<double>(bytes) / n_values(); }
  double outlier_share() const {
    return static_cast<double>(replay->key.n_outliers + replay->value.n_outliers) / n_values();
  }
  double output_error() const { return replay->mean_output_error.value(); }
};

// Ascending, each once.
std::set<std::int64_t> rule_budgets(Replayer& replayer, QaqParams params, std::int64_t prefix,
                                    const Work& work) {
  std::set<std::int64_t> out;
  for (const double target : kRuleTargets) {
    params.key.target_quantization_error = params.value.target_quantization_error = target;
    out.insert(packed_total(*replayer.planned({params, prefix}, work)));
  }
  return out;
}

std::vector<RulePoint> run_rules(const CaptureView& capture, const std::vector<OutlierCase>& rules,
                                 std::int64_t prefix, const Work& work) {
  Replayer replayer(capture);
  const Work silent(nullptr, work.stop_token());
  const auto budgets = rule_budgets(replayer, rules[kDefaultQuantile].params, prefix, silent);
  std::vector<RulePoint> out;
  for (std::size_t rule = 0; rule < rules.size(); ++rule) {
    work.report({"experiment", static_cast<std::int64_t>(rule), std::ssize(rules), "rules"});
    for (const std::int64_t bytes : budgets) {
      const auto params = at_byte_budget(replayer, rules[rule].params, prefix, bytes, silent);
      if (params) out.push_back({rule, bytes, replayer.full({*params, prefix}, silent)});
    }
  }
  return out;
}

// Errors of one rule over another's at the budgets that both keep.
struct RuleRatio {
  std::int64_t n = 0, n_less = 0;
  double log_sum = 0;
  double mean() const { return std::exp(log_sum / static_cast<double>(n)); }
};
RuleRatio error_ratio(const std::vector<RulePoint>& points, std::size_t rule, std::size_t to) {
  RuleRatio out;
  for (const RulePoint& a : points) {
    if (a.rule != rule) continue;
    const auto b = std::ranges::find_if(
        points, [&](const RulePoint& p) { return p.rule == to && p.budget == a.budget; });
    if (b == points.end() || !(a.output_error() > 0) || !(b->output_error() > 0)) continue;
    const double ratio = a.output_error() / b->output_error();
    ++out.n;
    out.n_less += ratio < 1 ? 1 : 0;
    out.log_sum += std::log(ratio);
  }
  return out;
}

std::string rule_figures(const std::vector<OutlierCase>& rules, const RuleRatio& ratio,
                         std::size_t rule, std::size_t to) {
  return cat(rules[rule].name, " has an error of outputs ", short_text(ratio.mean()),
             " times that of ", rules[to].name, ", geometric mean over ", ratio.n,
             " budgets, and the smaller one at ", ratio.n_less, " of them");
}

// The rule of a kind that keeps the most budgets, of these the one of least error.
std::optional<std::size_t> best_rule(const std::vector<OutlierCase>& rules,
                                     const std::vector<RulePoint>& points, bool by_deviation) {
  std::optional<std::size_t> out;
  RuleRatio least;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].by_deviation != by_deviation) continue;
    const RuleRatio ratio = error_ratio(points, i, kNoOutliers);
    if (ratio.n == 0 || ratio.n < least.n) continue;
    if (ratio.n == least.n && ratio.mean() >= least.mean()) continue;
    out = i;
    least = ratio;
  }
  return out;
}

// The verdict is on the defaults: nothing was chosen to suit the rows that judge it.
std::vector<std::string> rule_remarks(const std::vector<OutlierCase>& rules,
                                      const std::vector<RulePoint>& points) {
  const RuleRatio defaults = error_ratio(points, kDefaultSigma, kDefaultQuantile);
  if (defaults.n == 0) return {"No budget is kept by both default rules: nothing can be said."};
  std::vector<std::string> out{
      verdict_text(defaults.mean() < 1,
                   cat("at equal packed bytes ",
                       rule_figures(rules, defaults, kDefaultSigma, kDefaultQuantile), "."))};
  const auto ours = best_rule(rules, points, true), theirs = best_rule(rules, points, false);
  const RuleRatio best = ours && theirs ? error_ratio(points, *ours, *theirs) : RuleRatio{};
  const bool is_default = ours == kDefaultSigma && theirs == kDefaultQuantile;
  if (best.n > 0 && !is_default) {
    out.push_back(cat("The best of each kind, chosen on the rows that they are judged on: ",
                      rule_figures(rules, best, *ours, *theirs), "."));
  }
  return out;
}

Chart rule_chart(const std::vector<OutlierCase>& rules, const std::vector<RulePoint>& points) {
  ChartPanel output{.title = "Error of outputs at equal bytes",
                    .x = {.label = "packed bits a value", .unit = "bit"},
                    .y = {.label = "mean squared error", .scale = ChartScale::log}};
  ChartPanel scores = output;
  scores.title = "Error of scores at equal bytes";
  for (std::size_t rule = 0; rule < rules.size(); ++rule) {
    ChartSeries series{.name = rules[rule].name,
                       .mark = ChartMark::line_points,
                       .style = static_cast<int>(rule),
                       .open = rules[rule].by_deviation,
                       .source = {.table = "", .x = "packed_bits", .y = "output_error"}};
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].rule == rule) series.source.rows.push_back(static_cast<std::int64_t>(i));
    }
    if (series.source.rows.empty()) continue;
    output.series.push_back(series);
    series.source.y = "attention_error";
    scores.series.push_back(std::move(series));
  }
  return {.panels = {std::move(output), std::move(scores)}};
}

}  // namespace

std::string verdict_text(bool helps, const std::string& figures) {
  return cat(helps ? "Helps" : "Does not help", " on this capture: ", figures);
}

ExperimentResult run_ext_nsigma(const ExperimentContext& context) {
  ExperimentResult out;
  out.items = "tokens";
  out.n_available = std::ssize(context.text);
  const auto ids = beginning_of(context, 8, kRuleTokens);
  out.n = std::ssize(ids);
  const std::int64_t prefix = (2 * out.n + 2) / 3;
  const std::vector<OutlierCase> rules = outlier_cases();
  std::vector<RulePoint> points;
  {
    const TimeIn time(out.seconds);
    const auto engine = context.open(out.n);
    points = run_rules(capture_of(*engine, ids, context), rules, prefix, context.work);
  }
  std::vector<std::vector<Cell>> rows;
  for (const RulePoint& p : points) {
    const ReplayResult& r = *p.replay;
    rows.push_back(
        {rules[p.rule].name, real_cell(p.bits(p.budget)), real_cell(p.bits(packed_total(r))),
         real_cell(qaq_params_of(r.parameters).key.target_quantization_error),
         real_cell(p.outlier_share()), real_cell(r.key.mean_bits), real_cell(r.value.mean_bits),
         real_cell(r.key.quantization_error), real_cell(r.value.quantization_error),
         real_cell(r.mean_attention_error.value()), real_cell(p.output_error())});
  }
  const auto real = [](const char* name, const char* unit = "1") {
    return Column{.name = name, .kind = ColumnKind::real, .unit = unit};
  };
  out.tables.push_back({"", "Errors by rule of outliers at equal packed bytes",
                        table_of({{.name = "rule", .kind = ColumnKind::text},
                                  real("budget", "bit"),
                                  real("packed_bits", "bit"),
                                  real("e"),
                                  real("outlier_share"),
                                  real("key_bits", "bit"),
                                  real("value_bits", "bit"),
                                  real("key_error"),
                                  real("value_error"),
                                  real("attention_error"),
                                  real("output_error")},
                                 std::move(rows))});
  out.chart = rule_chart(rules, points);
  out.settings.push_back(
      cat("the first ", prefix, " tokens quantized, rows ", prefix, " to ", out.n - 1,
          " of all layers and query heads judged; QAQ at level head, window 5, "
          "0 to 8 bits; budgets are what the authors' rule (quantile 1 %) takes at e ",
          number_text(kRuleTargets.front()), " to ", number_text(kRuleTargets.back()),
          ", and for each rule e is bisected until it takes as much of them as "
          "it can"));
  out.settings.push_back(
      "quantile: so much of a unit, half at each end; nsigma: beyond so many standard deviations, "
      "5 "
      "% of a unit at most. A rule is left out where even its fewest bits are above a budget");
  out.remarks = rule_remarks(rules, points);
  return out;
}

}  // namespace qaq
