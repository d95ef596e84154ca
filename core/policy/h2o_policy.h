#pragma once

#include <array>
#include <vector>

#include "core/policy/evicting_policy.h"

namespace qaq {

/// Whether the budget is a share of the prompt or a number of tokens.
enum class H2oBudget { ratio, size };
template <>
struct ChoiceNames<H2oBudget> {
  static constexpr std::array<std::string_view, 2> names{"ratio", "size"};
};

struct H2oParams {
  H2oBudget budget_by = H2oBudget::ratio;
  double heavy_ratio = 0.1;
  double recent_ratio = 0.1;
  std::int64_t hh_size = 1024;
  std::int64_t recent_size = 1024;
  GqaReduce gqa = GqaReduce::sum;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "budget_by",
                    .help = "Whether the ratios or the sizes say what a KV head keeps"},
      self.budget_by);
    v(ParameterInfo{.name = "heavy_ratio",
                    .help = "Heavy hitters, the older tokens with most attention so far, as a "
                            "share of the prompt",
                    .min = 0,
                    .max = 1},
      self.heavy_ratio);
    v(ParameterInfo{.name = "recent_ratio",
                    .help = "Newest tokens, as a share of the prompt; where both shares are less "
                            "than a token, the newest one stays",
                    .min = 0,
                    .max = 1},
      self.recent_ratio);
    v(
        ParameterInfo{
            .name = "hh_size", .help = "Heavy hitters", .unit = "tokens", .min = 0, .max = 1 << 24},
        self.hh_size);
    v(ParameterInfo{.name = "recent_size",
                    .help = "Newest tokens",
                    .unit = "tokens",
                    .min = 0,
                    .max = 1 << 24},
      self.recent_size);
    v(ParameterInfo{.name = "gqa",
                    .help = "How a row's attention is put together over a KV head's query heads; "
                            "H2O's own code has none that share"},
      self.gqa);
  }
};
inline void validate(const H2oParams&) {}

/// The caches of one layer's KV heads: what they hold, and the attention it has had.
class HeavyHitters : public LayerRetention {
 public:
  struct Cached {
    std::int64_t token = 0;
    double attention = 0;  ///< over all rows since it came, reduced over the group
  };

  HeavyHitters(std::int64_t n_heavy, std::int64_t n_recent, GqaReduce gqa)
      : n_heavy_(n_heavy), n_recent_(n_recent), gqa_(gqa) {}

  void prompt(const PromptView& view, const NdView<std::uint8_t, 2>& kept) override;
  void step(const StepView& view, const NdView<std::uint8_t, 2>& kept) override;
  /// By token.
  const std::vector<Cached>& cached(std::int64_t kv_head) const {
    return heads_[static_cast<std::size_t>(kv_head)];
  }

 private:
  // Forgets all but the newest n_recent_ and of the others the n_heavy_ with most attention.
  void evict(std::vector<Cached>& cached, std::span<std::uint8_t> kept) const;

  std::int64_t n_heavy_, n_recent_;
  GqaReduce gqa_;
  std::vector<std::vector<Cached>> heads_;
};

/// Keeps the newest tokens, and of the older ones those that had most attention (H2O, arXiv
/// 2306.14048). Section 8 of the mathematics, h2o: evicts right after each call, as the streaming
/// script does. The masking script's one-token gap and the lm-eval script's choice from rows to
/// come are not offered: a masked token that returns was never evicted.
class H2oPolicy : public EvictingPolicy<H2oParams> {
 public:
  static constexpr std::string_view kHelp =
      "Keeps the newest tokens and those with most attention so far (arXiv 2306.14048); without "
      "the "
      "published scripts' one-token gap and their choice from later rows";
  static std::span<const PolicyPreset> presets() {
    static const std::array kAll{PolicyPreset{"streaming_script",
                                              "defaults of the streaming script of FMInference/H2O",
                                              {"budget_by=size", "hh_size=48", "recent_size=2000"}},
                                 PolicyPreset{"class",
                                              "defaults of H2OKVCache_LayerWise in FMInference/H2O",
                                              {"budget_by=size", "hh_size=4", "recent_size=512"}}};
    return kAll;
  }

  static PolicyBudget budget() {
    return {.range =
                BudgetRange{.names = {"heavy_ratio", "recent_ratio"}, .least = 0, .most = 0.5}};
  }

  using EvictingPolicy::EvictingPolicy;
  std::string_view name() const override { return "h2o"; }
  RetentionNeeds retention_needs() const override {
    return {.attention_rows = RetentionNeeds::kAllRows};
  }
  std::unique_ptr<LayerRetention> open_layer(std::int64_t layer, const CacheShape& prompt,
                                             std::int64_t n_heads) const override;
};

}  // namespace qaq
