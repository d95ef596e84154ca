#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/policy/cache_policy.h"
#include "core/policy/policy_budget.h"
#include "core/policy/policy_preset.h"
#include "core/policy/retention.h"

namespace qaq {

/// A policy that evicts, and keeps every value of what it does not evict exactly (section 8 of the
/// mathematics). P is a struct with visit() (parameters.h) and a validate() that throws
/// Error{usage}. Beside what is virtual, each has kHelp, one line with its source.
template <class P>
class EvictingPolicy : public CachePolicy, public TokenRetention {
 public:
  using Params = P;

  explicit EvictingPolicy(P params) : params_(std::move(params)) { validate(params_); }

  /// Published settings other than the defaults; a policy that has some hides this with its own.
  static std::span<const PolicyPreset> presets() { return {}; }

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

 protected:
  const P& params() const { return params_; }

 private:
  P params_;
};

/// Chooses once, after the prompt; what comes later stays.
class PromptRetention : public LayerRetention {
 public:
  /// `kept` as of LayerRetention::prompt().
  using Choice = std::function<void(const PromptView&, const NdView<std::uint8_t, 2>& kept)>;

  explicit PromptRetention(Choice choice) : choice_(std::move(choice)) {}

  void prompt(const PromptView& view, const NdView<std::uint8_t, 2>& kept) override {
    choice_(view, kept);
  }
  void step(const StepView&, const NdView<std::uint8_t, 2>&) override {}

 private:
  Choice choice_;
};

}  // namespace qaq
