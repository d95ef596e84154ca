#include "core/replay/bound_conditions.h"

#include <algorithm>

#include "core/quant/unit_grid.h"

namespace qaq {
namespace {

constexpr std::size_t bit_of(BoundCondition condition) {
  return static_cast<std::size_t>(condition);
}

constexpr int kUncorrelatedBits = 3;

}  // namespace

BrokenConditions PromisingCache::relevant() const {
  BrokenConditions out;
  if (!promises()) return out;
  out.set(bit_of(BoundCondition::bits_max));
  out.set(bit_of(BoundCondition::few_bits));
  if (!importance.empty()) out.set(bit_of(BoundCondition::persistence));
  if (planned.side == CacheSide::key) {
    out.set(bit_of(BoundCondition::query_norm));
    out.set(bit_of(BoundCondition::first_order));
  }
  const bool independent_of_length = planned.side == CacheSide::key &&
                                     params.variant == Variant::bound &&
                                     params.bound_target == BoundTarget::entry;
  if (!independent_of_length) out.set(bit_of(BoundCondition::horizon));
  return out;
}

PromisingCache promising_cache(const QaqPolicy& policy, const PolicyView& view) {
  PromisingCache out;
  out.planned = {view.side, policy.plan(view), view.stats};
  out.params = policy.side_params(view.side);
  if (!out.promises()) return out;
  const Plan& plan = out.planned.plan;
  const BitRule rule = policy.rule(view);
  const UnitFactsTable facts = policy.facts(view);
  for (std::size_t unit = 0; unit < facts.size(); ++unit) {
    const UnitFacts own = facts[unit];
    out.steps.push_back(unit_step(plan.quantizer, view.stats[unit], plan.n_bits[unit]));
    out.starved.push_back(rule.choose(own).starved() ? 1 : 0);
    if (!view.importance.empty()) out.importance.push_back(own.importance);
    const bool newest_seen = unit >= static_cast<std::size_t>(view.layout.units_per_token());
    if (view.side == CacheSide::key && !newest_seen) out.q_norm.push_back(own.q_norm);
  }
  return out;
}

BrokenConditions broken_conditions(const PromisingCache& cache, const BoundRow& row) {
  BrokenConditions broken;
  const UnitLayout& layout = cache.planned.plan.layout;
  const CacheShape& shape = layout.shape();
  const std::int64_t n_keys = std::min(shape.n_tokens, row.position + 1);
  float widest = 0;
  for (std::int64_t t = row.first_key; t < n_keys; ++t) {
    const auto unit = static_cast<std::size_t>(layout.unit(row.layer, row.kv_head, t));
    const float score = row.scores[static_cast<std::size_t>(t)];
    widest = std::max(widest, cache.steps[unit]);
    if (!cache.importance.empty() && score > cache.importance[unit]) {
      broken.set(bit_of(BoundCondition::persistence));
    }
    if (cache.starved[unit] != 0) broken.set(bit_of(BoundCondition::bits_max));
    if (cache.steps[unit] > 0 && cache.planned.plan.n_bits[unit] < kUncorrelatedBits) {
      broken.set(bit_of(BoundCondition::few_bits));
    }
  }
  if (cache.planned.side == CacheSide::key) {
    const double assumed =
        cache.q_norm[static_cast<std::size_t>(layout.unit(row.layer, row.kv_head, 0))];
    if (row.squared_norm > assumed) broken.set(bit_of(BoundCondition::query_norm));
    const double variance = row.squared_norm * widest * widest / 12 / double(shape.head_dim);
    if (variance > cache.params.v_max) broken.set(bit_of(BoundCondition::first_order));
  }
  const std::int64_t horizon =
      cache.params.variant == Variant::bound ? cache.params.horizon_tokens : 0;
  if (row.position + 1 > shape.n_tokens + horizon) broken.set(bit_of(BoundCondition::horizon));
  return broken & cache.relevant();
}

}  // namespace qaq
