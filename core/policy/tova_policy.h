#pragma once

#include <limits>

#include "core/policy/attention_sums.h"
#include "core/policy/press_policy.h"

namespace qaq {

/// The newest row's attention, as a mean over all heads of the layer; the newest token, which it
/// belongs to, comes before all others.
class TovaScore : public TokenScore {
 public:
  RetentionNeeds needs() const override { return {.attention_rows = 1}; }
  void score(const PromptView& view, const NdView<double, 2>& out) const override {
    const std::int64_t newest = out.shape(1) - 1;
    const NdArray<double, 2> row = attention_sums(view.scores, 1, newest);
    const auto mean = reduce_groups(row.view(), GqaReduce::mean, 1);
    for (std::int64_t head = 0; head < out.shape(0); ++head) {
      for (std::int64_t token = 0; token < newest; ++token) out(head, token) = mean(0, token);
      out(head, newest) = std::numeric_limits<double>::infinity();
    }
  }
};

/// Keeps what the newest token attends to, the same of every KV head. Section 8 of the mathematics,
/// kvpress.
class TovaPolicy : public PressPolicy<PressParams> {
 public:
  static constexpr std::string_view kHelp =
      "Keeps what the prompt's last token attends to, the same in all heads (kvpress 0.5.5)";

  explicit TovaPolicy(PressParams params) : PressPolicy(params, std::make_shared<TovaScore>()) {}
  std::string_view name() const override { return "tova"; }
};

}  // namespace qaq
