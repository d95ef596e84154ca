#include "core/policy/qaq_policy.h"

#include <algorithm>
#include <atomic>
#include <cassert>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/policy/hybrid_retention.h"
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

// Of all values, those that are outliers.
double counted_share(const PolicyView& view) {
  const std::int64_t n = view.layout.unit_size();
  std::int64_t n_outliers = 0;
  for (const UnitStats& unit : view.stats) n_outliers += n - unit.n_inliers;
  return static_cast<double>(n_outliers) / static_cast<double>(n * view.layout.n_units());
}

// Bound keys by their scores, but those of each entry hold for any score.
bool reads_attention(const QaqSideParams& params, CacheSide side) {
  if (!params.use_attentions) return false;
  if (side == CacheSide::value) return true;
  return params.variant == Variant::bound && params.bound_target != BoundTarget::entry;
}

// One number of bits for the units that each block of tokens has in the same place.
void share_in_blocks(const UnitLayout& layout, std::int64_t block_size,
                     std::span<std::uint8_t> n_bits) {
  if (block_size == 1) return;
  layout.for_each_block(block_size, [&](std::int64_t unit, std::int64_t n, std::int64_t step) {
    std::uint8_t most = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      most = std::max(most, n_bits[static_cast<std::size_t>(unit + i * step)]);
    }
    for (std::int64_t i = 0; i < n; ++i) n_bits[static_cast<std::size_t>(unit + i * step)] = most;
  });
}

}  // namespace

QaqPolicy::QaqPolicy(const QaqParams& params) : params_(params) {
  validate(params);
  if (params.eviction.evicts()) {
    retention_ = std::make_shared<HybridRetention>(params.eviction, importance(CacheSide::value));
  }
}

ImportanceOptions QaqPolicy::importance(CacheSide side) const {
  const QaqSideParams& params = side_params(side);
  ImportanceOptions out{.beta = params.beta,
                        .n_rows = params.last_n_attentions,
                        .reduce = params_.gqa_reduce,
                        .head_stride = params_.head_stride};
  if (params.sensitivity == Sensitivity::ema) out.rule = ImportanceRule::ema;
  if (params.has_adaptive_window()) out.adaptive = params.adaptive;
  return out;
}

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
  needs.plan_stride = params_.plan_stride;
  needs.quantizer.level = params.level;
  if (params.level == Level::no_quantization) return needs;
  needs.quantizer = {.level = params.level,
                     .method = params.method,
                     .range_rule = range_rule_of(params),
                     .store_scale = params.store_scale,
                     .symmetric = params.symmetric,
                     .outlier_rule = params.outlier_rule,
                     .outliers_ratio = params.outliers_ratio,
                     .n_sigma = params.n_sigma,
                     .max_outliers = params.max_outliers,
                     .outlier_index = params_.outlier_index};
  if (reads_attention(params, side) || params.has_adaptive_window()) {
    needs.importance = importance(side);
  }
  if (!params.use_attentions) return needs;
  needs.errors = params.bits_rule == BitsRule::measured;
  if (side == CacheSide::value) return needs;
  if (params.measures_q_norm()) {
    needs.q_norm = QueryNormRule{.quantile = params.q_norm_quantile};
    if (params.sensitivity == Sensitivity::ema) {
      needs.q_norm->average = NormAverage{params.beta, params.z};
    }
  }
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
  if (params_.eviction.evicts()) require_units_of_one_head(plan);
  if (params.outlier_rule == OutlierRule::nsigma) {
    plan.outlier_share = counted_share(view);
  } else {
    check_outliers_ratio(params.outliers_ratio, view.side, view.layout.unit_size());
  }

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
  share_in_blocks(plan.layout, params_.block_size, plan.n_bits);
  return plan;
}

BitRule QaqPolicy::rule(const PolicyView& view) const {
  return bit_rule(side_params(view.side), view.side, view.layout.shape());
}

UnitFactsTable QaqPolicy::facts(const PolicyView& view) const {
  const QaqSideParams& params = side_params(view.side);
  return {view, params.symmetric, static_cast<float>(params.q_norm.number.value_or(0)),
          params_.block_size};
}

std::vector<std::shared_ptr<const CachePolicy>> qaq_policies(std::span<const QaqParams> settings) {
  std::vector<std::shared_ptr<const CachePolicy>> out;
  for (const QaqParams& params : settings) out.push_back(std::make_shared<QaqPolicy>(params));
  return out;
}

}  // namespace qaq
