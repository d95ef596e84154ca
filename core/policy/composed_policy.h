#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/policy/cache_policy.h"

namespace qaq {

/// One policy evicts, another decides what becomes of what is left ("qaq+h2o"): evicted rows leave
/// the bytes of both caches, a rival's format is that of the rows that are left, and QAQ's units
/// are of one KV head each.
class ComposedPolicy : public CachePolicy {
 public:
  /// `evicting` has a retention(), `keeping` has none. Throws Error{usage} where they do not go
  /// together.
  ComposedPolicy(std::shared_ptr<const CachePolicy> keeping,
                 std::shared_ptr<const CachePolicy> evicting);

  std::string_view name() const override { return name_; }
  /// Those of both, the evicting policy's in a section of its name: "h2o.heavy_ratio".
  std::vector<Parameter> parameters() const override;
  int dtype_bits() const override { return keeping_->dtype_bits(); }
  std::int64_t sparse_top_k() const override { return keeping_->sparse_top_k(); }
  PolicyNeeds needs(CacheSide side) const override { return keeping_->needs(side); }
  const TokenRetention* retention() const override { return evicting_->retention(); }
  Plan plan(const PolicyView& view) const override;

 private:
  std::string name_;
  std::shared_ptr<const CachePolicy> keeping_;
  std::shared_ptr<const CachePolicy> evicting_;
};

}  // namespace qaq
