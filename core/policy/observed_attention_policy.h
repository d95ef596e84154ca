#pragma once

#include "core/policy/attention_sums.h"
#include "core/policy/press_policy.h"

namespace qaq {

/// The attention that a token had, as a mean over the rows that see it and over the group.
class ObservedAttentionScore : public TokenScore {
 public:
  RetentionNeeds needs() const override { return {.attention_rows = RetentionNeeds::kAllRows}; }
  void score(const PromptView& view, const NdView<double, 2>& out) const override {
    const std::int64_t n_tokens = out.shape(1);
    const NdArray<double, 2> sums = attention_sums(view.scores, n_tokens, n_tokens);
    const auto means = reduce_groups(sums.view(), GqaReduce::mean, out.shape(0));
    for (std::int64_t head = 0; head < out.shape(0); ++head) {
      for (std::int64_t token = 0; token < n_tokens; ++token) {
        out(head, token) = means(head, token) / static_cast<double>(n_tokens - token);
      }
    }
  }
};

/// Keeps the tokens that had most attention for their age. Section 8 of the mathematics, kvpress.
class ObservedAttentionPolicy : public PressPolicy<PressParams> {
 public:
  static constexpr std::string_view kHelp =
      "Keeps the tokens that had most attention a row (kvpress 0.5.5)";

  explicit ObservedAttentionPolicy(PressParams params)
      : PressPolicy(params, std::make_shared<ObservedAttentionScore>()) {}
  std::string_view name() const override { return "observed_attention"; }
};

}  // namespace qaq
