#pragma once

#include <vector>

#include "core/policy/evicting_policy.h"

namespace qaq {

struct ScissorhandsParams {
  std::int64_t budget = 256;
  std::int64_t history_window = 400;
  std::int64_t recent_window = 10;
  std::int64_t drop = 0;
  GqaReduce gqa = GqaReduce::max;

  std::int64_t n_dropped() const { return drop == 0 ? budget / 2 : drop; }

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "budget",
                    .help = "Tokens at which a KV head's cache is compressed, the same in all "
                            "layers; the default is ours",
                    .unit = "tokens",
                    .min = 2,
                    .max = 1 << 24},
      self.budget);
    v(ParameterInfo{.name = "history_window",
                    .help = "Newest rows that count how often a token had less than the average, "
                            "1 / (tokens so far) (the default is recalled from the paper, not "
                            "checked)",
                    .unit = "rows",
                    .min = 1,
                    .max = 1 << 20},
      self.history_window);
    v(ParameterInfo{.name = "recent_window",
                    .help = "Newest tokens, which stay (the default is recalled from the paper, "
                            "not checked)",
                    .unit = "tokens",
                    .min = 0,
                    .max = 1 << 24},
      self.recent_window);
    v(ParameterInfo{.name = "drop",
                    .help = "Tokens dropped at a time; 0: half the budget (recalled from the "
                            "paper, not checked)",
                    .unit = "tokens",
                    .min = 0,
                    .max = 1 << 24},
      self.drop);
    v(ParameterInfo{.name = "gqa",
                    .help = "How a row's attention is put together over a KV head's query heads"},
      self.gqa);
  }
};
/// Refuses a budget that drop and recent_window do not fit into.
void validate(const ScissorhandsParams& params);

/// The caches of one layer's KV heads: what they hold, and the newest rows that gave it less than
/// the average.
class PivotalTokens : public LayerRetention {
 public:
  struct Cached {
    std::int64_t token = 0;
    std::vector<bool> below;  ///< (history_window): that of row s at s modulo history_window
  };

  explicit PivotalTokens(const ScissorhandsParams& params) : params_(params) {}

  void prompt(const PromptView& view, const NdView<std::uint8_t, 2>& kept) override;
  void step(const StepView& view, const NdView<std::uint8_t, 2>& kept) override;
  /// By token.
  const std::vector<Cached>& cached(std::int64_t kv_head) const {
    return heads_[static_cast<std::size_t>(kv_head)];
  }
  /// What cached() is dropped by: rows of its history, 0 of the newest recent_window.
  std::vector<double> counters(std::int64_t kv_head) const;

 private:
  void add_row(std::int64_t kv_head, std::int64_t row, std::span<const float> seen);
  void compress(std::int64_t kv_head, std::span<std::uint8_t> kept);

  ScissorhandsParams params_;
  std::vector<std::vector<Cached>> heads_;
};

/// Drops the tokens that most rows gave less than the average, some at a time (arXiv 2305.17118; no
/// code was published, the paper's settings are recalled). Section 8 of the mathematics,
/// scissorhands; budgets that differ by layer are not offered.
class ScissorhandsPolicy : public EvictingPolicy<ScissorhandsParams> {
 public:
  static constexpr std::string_view kHelp =
      "Drops what most rows gave less than the average (arXiv 2305.17118; no code was published, "
      "settings recalled from the paper)";

  static PolicyBudget budget() {
    return {
        .range = BudgetRange{
            .names = {"budget"}, .least = 2, .most = 1 << 20, .log_scale = true, .whole = true}};
  }

  using EvictingPolicy::EvictingPolicy;
  std::string_view name() const override { return "scissorhands"; }
  RetentionNeeds retention_needs() const override {
    return {.attention_rows = params().history_window};
  }
  std::unique_ptr<LayerRetention> open_layer(std::int64_t, const CacheShape&,
                                             std::int64_t) const override {
    return std::make_unique<PivotalTokens>(params());
  }
};

}  // namespace qaq
