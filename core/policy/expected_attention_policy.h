#pragma once

#include "core/policy/press_policy.h"

namespace qaq {

struct ExpectedAttentionParams : PressParams {
  std::int64_t n_future_positions = 512;
  std::int64_t n_sink = 4;
  double epsilon = 0;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    PressParams::visit(self, v);
    visit_score(self, v);
  }
  template <class Self, class Visitor>
  static void visit_score(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "n_future_positions",
                    .help = "Positions behind the prompt whose attention is expected",
                    .unit = "tokens",
                    .min = 1,
                    .max = 1 << 24},
      self.n_future_positions);
    v(ParameterInfo{.name = "n_sink",
                    .help = "First tokens, which stay and whose queries are left out",
                    .unit = "tokens",
                    .min = 0,
                    .max = 1 << 24},
      self.n_sink);
    v(ParameterInfo{.name = "epsilon",
                    .help = "Added to the expected attention before it is multiplied by the "
                            "value's norm",
                    .min = 0,
                    .max = 1e6},
      self.epsilon);
  }
};

/// The attention that queries to come are expected to give, were they normally distributed as the
/// prompt's are before RoPE: softmax(k mu / sqrt(D) + k' Sigma k / (2 D)) as a mean over the group,
/// times the value's norm. Mean and covariance are turned by the mean RoPE matrix of the positions
/// to come. In float64. The sinks come before all others.
class ExpectedAttentionScore : public TokenScore {
 public:
  explicit ExpectedAttentionScore(const ExpectedAttentionParams& params) : params_(params) {}
  RetentionNeeds needs() const override {
    return {.query = true, .key = true, .value = true, .rope = true};
  }
  void score(const PromptView& view, const NdView<double, 2>& out) const override;

 private:
  ExpectedAttentionParams params_;
};

/// Keeps the tokens that later queries are expected to attend to. Section 8 of the mathematics,
/// kvpress.
class ExpectedAttentionPolicy : public PressPolicy<ExpectedAttentionParams> {
 public:
  static constexpr std::string_view kHelp =
      "Keeps what later queries are expected to attend to (kvpress 0.5.5)";

  explicit ExpectedAttentionPolicy(ExpectedAttentionParams params)
      : PressPolicy(params, std::make_shared<ExpectedAttentionScore>(params)) {}
  std::string_view name() const override { return "expected_attention"; }
};

}  // namespace qaq
