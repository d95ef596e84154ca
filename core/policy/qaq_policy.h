#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/policy/bit_rule.h"
#include "core/policy/cache_policy.h"
#include "core/policy/policy_budget.h"
#include "core/policy/qaq_params.h"
#include "core/policy/retention.h"
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
  std::int64_t sparse_top_k() const override { return params_.sparse_top_k; }
  PolicyNeeds needs(CacheSide side) const override;
  /// Null where evict_factor is 0: see HybridRetention.
  const TokenRetention* retention() const override { return retention_.get(); }
  /// Refuses an outliers_ratio that leaves no value of any unit to quantize (units of one value are
  /// kept exactly instead, as are units whose ties leave none).
  Plan plan(const PolicyView& view) const override;

  const QaqSideParams& side_params(CacheSide side) const {
    return side == CacheSide::key ? params_.key : params_.value;
  }
  /// What plan() chooses bits by: its rule, and what it reads of each unit. Units of a block of
  /// tokens then get what the one of them that needs most gets.
  BitRule rule(const PolicyView& view) const;
  UnitFactsTable facts(const PolicyView& view) const;

 private:
  ImportanceOptions importance(CacheSide side) const;

  QaqParams params_;
  std::shared_ptr<const TokenRetention> retention_;
};

/// QAQ by each of these. Throws Error{usage} as validate() does.
std::vector<std::shared_ptr<const CachePolicy>> qaq_policies(std::span<const QaqParams> settings);

}  // namespace qaq
