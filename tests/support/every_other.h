#pragma once

#include <memory>

#include "core/policy/cache_policy.h"
#include "core/policy/retention.h"

namespace qaq::test {

/// KV head h of layer l keeps the tokens t with (t + h + l) % modulus != 0; 0: all.
class EveryOther : public CachePolicy, public TokenRetention {
 public:
  explicit EveryOther(std::int64_t modulus) : modulus_(modulus) {}
  static bool keeps(std::int64_t modulus, std::int64_t layer, std::int64_t head,
                    std::int64_t token) {
    return modulus == 0 || (token + head + layer) % modulus != 0;
  }
  std::string_view name() const override { return "every_other"; }
  std::vector<Parameter> parameters() const override { return {}; }
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
    return std::make_unique<Layer>(modulus_, layer);
  }

 private:
  class Layer : public LayerRetention {
   public:
    Layer(std::int64_t modulus, std::int64_t layer) : modulus_(modulus), layer_(layer) {}
    void prompt(const PromptView&, const NdView<std::uint8_t, 2>& kept) override {
      for (std::int64_t head = 0; head < kept.shape(0); ++head) {
        for (std::int64_t t = 0; t < kept.shape(1); ++t) {
          kept(head, t) = keeps(modulus_, layer_, head, t);
        }
      }
    }
    void step(const StepView&, const NdView<std::uint8_t, 2>&) override {}

   private:
    std::int64_t modulus_, layer_;
  };

  std::int64_t modulus_;
};

inline std::shared_ptr<const CachePolicy> every_other(std::int64_t modulus) {
  return std::make_shared<EveryOther>(modulus);
}

}  // namespace qaq::test
