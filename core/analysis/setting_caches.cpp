#include "core/analysis/setting_caches.h"

#include <algorithm>

#include "core/policy/qaq_policy.h"
#include "core/replay/cache_replay.h"

namespace qaq {
double SettingCache::bits_per_value(const CellAddress& cell) const {
  const SettingSide& of = side(cell.side);
  if (!of.quantizes()) return kExactBits;
  const std::size_t unit = of.unit(cell.layer, cell.kv_head, cell.token);
  const double share = static_cast<double>(of.stats[unit].n_inliers) /
                       static_cast<double>(of.plan.layout.unit_size());
  return share * of.plan.n_bits[unit] + (1 - share) * kExactBits;
}

std::span<const float> SettingCache::row(const CellAddress& cell) const {
  const auto& layers = cell.side == CacheSide::key ? source.key : source.value;
  return layers[static_cast<std::size_t>(cell.layer)]->sub(cell.kv_head, cell.token).span();
}

SettingSide SettingQuantizer::decide(CacheSide side, const SettingChange& change,
                                     const Work& work) {
  refuse_eviction(change.params, "a diagnosis");
  refuse_plan_stride(change.params, "a diagnosis");
  const QaqPolicy policy(change.params);
  Planner& planner = change.rows == ImportanceRows::window ? known_ : future_;
  PolicyView view = planner.view(policy, side, n_prefix_, work);
  if (change.q_norm && !view.q_norm.empty()) view.q_norm = change.q_norm->view();
  SettingSide out{.side = side,
                  .params = policy.side_params(side),
                  .rows = change.rows,
                  .plan = policy.plan(view)};
  if (!out.quantizes()) return out;
  out.stats.assign(view.stats.begin(), view.stats.end());
  out.rule = policy.rule(view);
  const UnitFactsTable facts = policy.facts(view);
  for (std::size_t unit = 0; unit < facts.size(); ++unit) {
    out.choices.push_back(out.rule.choose(facts[unit]));
    const BitChoice& choice = out.choices.back();
    if (choice.forced && !change.forces_newest) {
      out.plan.n_bits[unit] = static_cast<std::uint8_t>(
          std::clamp(choice.wanted, out.rule.n_bits_min, out.rule.n_bits_max));
    }
    out.facts.push_back(facts[unit]);
    out.facts.back().errors = {};  // the planner's, until its next view
  }
  return out;
}

SettingCache SettingQuantizer::quantize(const SettingChange& change, const Work& work,
                                        const Fault& fault) {
  SettingCache out;
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    SettingSide& decided = out.sides[static_cast<std::size_t>(side)];
    decided = decide(side, change, work);
    if (fault) fault(decided);
    for (std::size_t unit = 0; unit < decided.choices.size(); ++unit) {
      decided.choices[unit].n_bits = decided.plan.n_bits[unit];
    }
    const PlannedCache planned{side, decided.plan, decided.stats};
    auto& layers = side == CacheSide::key ? out.source.key : out.source.value;
    for (std::int64_t layer = 0; layer < capture_.info().n_captured_layers(); ++layer) {
      work.throw_if_stopped();
      layers.push_back(quantized_layer(capture_, planned, layer));
    }
  }
  return out;
}

SettingCache SettingQuantizer::requantize(const SettingChange& change, const SettingCache& setting,
                                          const Work& work, const Fault& fault) {
  return quantize(change, work, [&](SettingSide& side) {
    if (fault) fault(side);
    if (change.keeps_bits) side.plan.n_bits = setting.side(side.side).plan.n_bits;
  });
}

}  // namespace qaq
