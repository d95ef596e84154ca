#pragma once

#include <memory>

#include "core/policy/eviction_params.h"
#include "core/policy/importance_rule.h"
#include "core/policy/retention.h"

namespace qaq {

/// What `qaq` evicts (`hybrid` of section 9 of the mathematics): see EvictionParams. Importance is
/// the policy's own of values. Every row of the prompt is a step, s + 1 keys are even attention,
/// and what is dropped never returns. A token of 0 bits is another thing: it stays in the softmax
/// with a constant vector.
class HybridRetention : public TokenRetention {
 public:
  HybridRetention(const EvictionParams& params, const ImportanceOptions& importance)
      : params_(params), importance_(importance) {}

  RetentionNeeds retention_needs() const override {
    return {.attention_rows = RetentionNeeds::kAllRows};
  }
  std::unique_ptr<LayerRetention> open_layer(std::int64_t layer, const CacheShape& prompt,
                                             std::int64_t n_heads) const override;

 private:
  EvictionParams params_;
  ImportanceOptions importance_;
};

}  // namespace qaq
