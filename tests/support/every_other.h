#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/policy/cache_policy.h"
#include "core/policy/composed_policy.h"
#include "core/policy/policies.h"
#include "core/policy/retention.h"

namespace qaq::test {

/// A policy that evicts by place alone: KV head h of layer l keeps the tokens t with
/// (t + h + l) % modulus != 0, after the prompt and after every step; modulus 0: all.
class EveryOther : public CachePolicy, public TokenRetention {
 public:
  explicit EveryOther(std::int64_t modulus) : params_{modulus} {}

  static bool keeps(std::int64_t modulus, std::int64_t layer, std::int64_t head,
                    std::int64_t token) {
    return modulus == 0 || (token + head + layer) % modulus != 0;
  }

  std::string_view name() const override { return "every_other"; }
  std::vector<Parameter> parameters() const override { return list_parameters(params_); }
  PolicyNeeds needs(CacheSide) const override {
    PolicyNeeds out;
    out.quantizer.level = Level::no_quantization;
    return out;
  }
  Plan plan(const PolicyView& view) const override {
    Plan plan;
    plan.layout = view.layout;
    plan.quantizer.level = Level::no_quantization;
    return plan;
  }
  const TokenRetention* retention() const override { return this; }
  RetentionNeeds retention_needs() const override { return {}; }
  std::unique_ptr<LayerRetention> open_layer(std::int64_t layer, const CacheShape&,
                                             std::int64_t) const override {
    return std::make_unique<Layer>(params_.modulus, layer);
  }

 private:
  struct Params {
    std::int64_t modulus = 0;
    template <class Self, class Visitor>
    static void visit(Self& self, Visitor& v) {
      v(ParameterInfo{.name = "modulus", .help = "Which tokens are dropped", .min = 0, .max = 1e6},
        self.modulus);
    }
  };
  class Layer : public LayerRetention {
   public:
    Layer(std::int64_t modulus, std::int64_t layer) : modulus_(modulus), layer_(layer) {}
    void prompt(const PromptView&, const NdView<std::uint8_t, 2>& kept) override { drop(kept); }
    void step(const StepView&, const NdView<std::uint8_t, 2>& kept) override { drop(kept); }

   private:
    void drop(const NdView<std::uint8_t, 2>& kept) const {
      for (std::int64_t head = 0; head < kept.shape(0); ++head) {
        for (std::int64_t t = 0; t < kept.shape(1); ++t) {
          if (!keeps(modulus_, layer_, head, t)) kept(head, t) = 0;
        }
      }
    }
    std::int64_t modulus_, layer_;
  };

  Params params_;
};

inline std::shared_ptr<const CachePolicy> every_other(std::int64_t modulus) {
  return std::make_shared<EveryOther>(modulus);
}
/// The policy of that name with its defaults, on what EveryOther keeps.
inline std::shared_ptr<const CachePolicy> with_evicting(std::string_view name,
                                                        std::int64_t modulus) {
  return std::make_shared<ComposedPolicy>(make_policy(name, {}), every_other(modulus));
}

}  // namespace qaq::test
