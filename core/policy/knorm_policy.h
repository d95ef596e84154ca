#pragma once

#include <cmath>

#include "core/policy/press_policy.h"
#include "core/policy/query_norms.h"

namespace qaq {

/// -||k_t||_2: tokens with short keys are attended to most.
class KnormScore : public TokenScore {
 public:
  RetentionNeeds needs() const override { return {.key = true}; }
  void score(const PromptView& view, const NdView<double, 2>& out) const override {
    for (std::int64_t head = 0; head < out.shape(0); ++head) {
      for (std::int64_t token = 0; token < out.shape(1); ++token) {
        out(head, token) = -std::sqrt(squared_norm(view.key.sub(head, token).span()));
      }
    }
  }
};

/// Keeps the tokens whose keys are shortest. Section 8 of the mathematics, kvpress.
class KnormPolicy : public PressPolicy<PressParams> {
 public:
  static constexpr std::string_view kHelp =
      "Keeps the tokens with the shortest keys (kvpress 0.5.5)";

  explicit KnormPolicy(PressParams params) : PressPolicy(params, std::make_shared<KnormScore>()) {}
  std::string_view name() const override { return "knorm"; }
};

}  // namespace qaq
