#pragma once

#include "core/policy/cache_policy.h"
#include "core/policy/qaq_params.h"

namespace qaq {

/// Quality Adaptive Quantization (arXiv 2403.04643), variant *reference*: what the authors' code
/// does.
class QaqPolicy : public CachePolicy {
 public:
  /// Throws Error{usage} as validate() does.
  explicit QaqPolicy(const QaqParams& params);

  std::string_view name() const override { return "qaq"; }
  PolicyNeeds needs(CacheSide side) const override;
  /// Refuses an outliers_ratio that leaves no value of any unit to quantize (units of one value are
  /// kept exactly instead, as are units whose ties leave none).
  Plan plan(const PolicyView& view) const override;

 private:
  const QaqSideParams& side_params(CacheSide side) const {
    return side == CacheSide::key ? params_.key : params_.value;
  }

  QaqParams params_;
};

}  // namespace qaq
