#include "core/policy/qaq_policy.h"

#include <algorithm>
#include <atomic>
#include <cassert>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/quant/arith.h"

namespace qaq {
namespace {

void check_outliers_ratio(double ratio, CacheSide side, std::int64_t unit_size) {
  if (ratio == 0 || unit_size < 2 || k_low(ratio, unit_size) < k_high(ratio, unit_size)) return;
  refuse_usage(
      {.place = side == CacheSide::key ? "key.outliers_ratio" : "value.outliers_ratio",
       .what = cat(number_text(ratio), " makes outliers of all ", unit_size, " values of a unit"),
       .cure = "give a smaller ratio, 0, or a coarser level"});
}

// Bound keys by their scores, but those of each entry hold for any score.
bool reads_attention(const QaqSideParams& params, CacheSide side) {
  if (!params.use_attentions) return false;
  if (side == CacheSide::value) return true;
  return params.variant == Variant::bound && params.bound_target != BoundTarget::entry;
}

}  // namespace

QaqPolicy::QaqPolicy(const QaqParams& params) : params_(params) { validate(params); }

PolicyBudget QaqPolicy::budget() {
  // Keys' bits fall with the error target's logarithm alone: few of them take a limit.
  return {
      .fixed = {"range_rule=midpoint"},
      .choices = {{"level", {"head", "layer"}},
                  {"outliers_ratio", {"0.01", "0"}},
                  {"n_bits_max", {"4", "8", "3", "2"}}},
      .range = BudgetRange{
          .names = {"target_quantization_error"}, .least = 1e-3, .most = 1e3, .log_scale = true}};
}

PolicyNeeds QaqPolicy::needs(CacheSide side) const {
  const QaqSideParams& params = side_params(side);
  PolicyNeeds needs;
  needs.gqa_reduce = params_.gqa_reduce;
  needs.quantizer.level = params.level;
  if (params.level == Level::no_quantization) return needs;
  needs.quantizer = {.level = params.level,
                     .method = params.method,
                     .range_rule = range_rule_of(params),
                     .store_scale = params.store_scale,
                     .symmetric = params.symmetric,
                     .outliers_ratio = params.outliers_ratio,
                     .outlier_index = params_.outlier_index};
  if (reads_attention(params, side)) needs.attention_rows = params.last_n_attentions;
  if (!params.use_attentions) return needs;
  needs.errors = params.bits_rule == BitsRule::measured;
  if (side == CacheSide::value) return needs;
  if (!params.q_norm.number) needs.q_norm_quantile = params.q_norm_quantile;
  needs.distances = params.variant == Variant::bound && params.bound_target == BoundTarget::output;
  return needs;
}

Plan QaqPolicy::plan(const PolicyView& view) const {
  const QaqSideParams& params = side_params(view.side);
  const PolicyNeeds wanted = needs(view.side);
  Plan plan;
  plan.quantizer = wanted.quantizer;
  plan.layout = view.layout;
  if (plan.keeps_all()) return plan;
  assert(static_cast<std::int64_t>(view.stats.size()) == view.layout.n_units());
  check_outliers_ratio(params.outliers_ratio, view.side, view.layout.unit_size());

  const BitRule by = rule(view);
  plan.n_bits_vary = params.use_attentions && params.n_bits_min < params.n_bits_max;
  if (by.kind == BitRule::Kind::fixed) {
    plan.n_bits.assign(view.stats.size(), static_cast<std::uint8_t>(by.n_bits_fixed));
    return plan;
  }
  const UnitFactsTable units = facts(view);
  plan.n_bits.resize(units.size());
  std::atomic<std::int64_t> n_unmet = 0;
  constexpr std::size_t kBlock = 4096;
  const auto n_blocks = static_cast<std::int64_t>((units.size() + kBlock - 1) / kBlock);
  parallel_for(n_blocks, [&](std::int64_t i) {
    const std::size_t first = static_cast<std::size_t>(i) * kBlock;
    std::int64_t n = 0;
    for (std::size_t unit = first; unit < std::min(units.size(), first + kBlock); ++unit) {
      const BitChoice choice = by.choose(units[unit]);
      plan.n_bits[unit] = static_cast<std::uint8_t>(choice.n_bits);
      n += choice.unmet ? 1 : 0;
    }
    n_unmet += n;
  });
  plan.n_bound_unmet = n_unmet;
  return plan;
}

BitRule QaqPolicy::rule(const PolicyView& view) const {
  return bit_rule(side_params(view.side), view.side, view.layout.shape());
}

UnitFactsTable QaqPolicy::facts(const PolicyView& view) const {
  const QaqSideParams& params = side_params(view.side);
  return {view, params.symmetric, static_cast<float>(params.q_norm.number.value_or(0))};
}

}  // namespace qaq
