#pragma once

#include "core/policy/expected_attention_policy.h"
#include "core/policy/random_policy.h"
#include "core/policy/window_score.h"

namespace qaq {

/// kvpress' scores by name; `snapkv` is WindowScore.
enum class PressScore { knorm, tova, observed_attention, expected_attention, random, snapkv };
template <>
struct ChoiceNames<PressScore> {
  static constexpr std::array<std::string_view, 6> names{
      "knorm", "tova", "observed_attention", "expected_attention", "random", "snapkv"};
};

struct AdaKvParams : PressParams {
  PressScore score = PressScore::snapkv;
  double alpha_safeguard = 0.2;
  WindowParams window{};               // of score snapkv
  ExpectedAttentionParams expected{};  // of score expected_attention
  RandomParams random{};               // of score random

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    PressParams::visit(self, v);
    v(ParameterInfo{.name = "score",
                    .help = "What ranks the tokens; of the parameters below each score reads its "
                            "own"},
      self.score);
    v(ParameterInfo{.name = "alpha_safeguard",
                    .help = "Share of its budget that each KV head keeps whatever others score",
                    .min = 0,
                    .max = 1},
      self.alpha_safeguard);
    WindowParams::visit_window(self.window, v);
    ExpectedAttentionParams::visit_score(self.expected, v);
    RandomParams::visit_seed(self.random, v);
  }
};
inline void validate(const AdaKvParams& params) { validate(params.window); }

/// Heads share a layer's budget: each keeps a part surely, the rest goes to the layer's best scores
/// (arXiv 2407.11550). Section 8 of the mathematics, kvpress.
class AdaKvPolicy : public PressPolicy<AdaKvParams> {
 public:
  static constexpr std::string_view kHelp =
      "Heads of a layer share their budget by score (kvpress 0.5.5)";

  static PolicyBudget budget() {
    return {.choices = {window_choice()}, .range = PressPolicy::budget().range};
  }

  explicit AdaKvPolicy(const AdaKvParams& params) : PressPolicy(params, score_of(params)) {}
  std::string_view name() const override { return "adakv"; }

 protected:
  std::int64_t n_surely_kept(std::int64_t n) const override {
    const auto sure = static_cast<std::int64_t>(static_cast<double>(n) * params().alpha_safeguard);
    return std::max<std::int64_t>(1, sure);
  }

 private:
  static std::shared_ptr<const TokenScore> score_of(const AdaKvParams& params);
};

}  // namespace qaq
