#pragma once

#include "core/policy/bit_rule.h"
#include "core/policy/cache_policy.h"
#include "core/policy/policy_budget.h"
#include "core/policy/qaq_params.h"
#include "core/policy/unit_facts.h"

namespace qaq {

/// Quality Adaptive Quantization (arXiv 2403.04643): as the authors' code does it, as their paper
/// says, or so that its promise can be checked.
class QaqPolicy : public CachePolicy {
 public:
  /// Throws Error{usage} as validate() does.
  explicit QaqPolicy(const QaqParams& params);

  /// The error target decides; units and outliers as `qaq tune` has them, limits of bits
  /// as it and the grid of figure 4 do.
  static PolicyBudget budget();

  std::string_view name() const override { return "qaq"; }
  std::vector<Parameter> parameters() const override { return list_parameters(params_); }
  int dtype_bits() const override { return params_.dtype_bits; }
  PolicyNeeds needs(CacheSide side) const override;
  /// Refuses an outliers_ratio that leaves no value of any unit to quantize (units of one value are
  /// kept exactly instead, as are units whose ties leave none).
  Plan plan(const PolicyView& view) const override;

  const QaqSideParams& side_params(CacheSide side) const {
    return side == CacheSide::key ? params_.key : params_.value;
  }
  /// What plan() chooses bits by: its rule, and what it reads of each unit.
  BitRule rule(const PolicyView& view) const;
  UnitFactsTable facts(const PolicyView& view) const;

 private:
  QaqParams params_;
};

}  // namespace qaq
