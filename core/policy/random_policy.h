#pragma once

#include <random>

#include "core/policy/press_policy.h"

namespace qaq {

/// The same numbers on every machine, others in every layer.
class RandomScore : public TokenScore {
 public:
  explicit RandomScore(std::int64_t seed) : seed_(seed) {}
  RetentionNeeds needs() const override { return {}; }
  void score(const PromptView& view, const NdView<double, 2>& out) const override {
    std::seed_seq seeds{seed_, view.layer};
    std::mt19937_64 bits(seeds);
    for (double& each : out.span()) each = static_cast<double>(bits() >> 11);
  }

 private:
  std::int64_t seed_;
};

struct RandomParams : PressParams {
  std::int64_t seed = 0;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    PressParams::visit(self, v);
    visit_seed(self, v);
  }
  template <class Self, class Visitor>
  static void visit_seed(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "seed",
                    .help = "Of score random: equal seeds keep the same tokens",
                    .min = 0,
                    .max = 4294967295},
      self.seed);
  }
};

/// Keeps tokens by chance: what any other choice has to beat. Section 8 of the mathematics,
/// kvpress.
class RandomPolicy : public PressPolicy<RandomParams> {
 public:
  static constexpr std::string_view kHelp =
      "Keeps tokens by chance, what any other choice has to beat (kvpress 0.5.5)";

  explicit RandomPolicy(RandomParams params)
      : PressPolicy(params, std::make_shared<RandomScore>(params.seed)) {}
  std::string_view name() const override { return "random"; }
};

}  // namespace qaq
