#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "core/policy/evicting_policy.h"
#include "core/policy/top_tokens.h"

namespace qaq {

/// What a policy ranks the prompt's tokens by: the higher, the sooner a token is kept.
class TokenScore {
 public:
  virtual ~TokenScore() = default;
  virtual RetentionNeeds needs() const = 0;
  /// Throws Error{usage} where so few tokens cannot be ranked.
  virtual void require_tokens(std::int64_t n_tokens) const { static_cast<void>(n_tokens); }
  /// `out` (n_kv_heads, T); infinite: before all others.
  virtual void score(const PromptView& view, const NdView<double, 2>& out) const = 0;
};

/// Tokens that a KV head keeps of T where the share `compression_ratio` is removed, in double as
/// kvpress has it.
inline std::int64_t n_kept(std::int64_t n_tokens, double compression_ratio) {
  const double left = static_cast<double>(n_tokens) * (1 - compression_ratio);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(left));
}

struct PressParams {
  double compression_ratio = 0;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "compression_ratio",
                    .help = "Share of the prompt's tokens that is removed, so that the cache "
                            "becomes 1 / (1 - it) times smaller; later tokens stay",
                    .min = 0,
                    .max = 0.999},
      self.compression_ratio);
  }
};
inline void validate(const PressParams&) {}

/// A policy of NVIDIA's kvpress (0.5.5): after the prompt each KV head keeps the tokens that score
/// highest, n_kept() of them. P has a compression_ratio.
template <class P>
class PressPolicy : public EvictingPolicy<P> {
 public:
  PressPolicy(P params, std::shared_ptr<const TokenScore> score)
      : EvictingPolicy<P>(std::move(params)), score_(std::move(score)) {}

  static PolicyBudget budget() {
    return {.range = BudgetRange{.names = {"compression_ratio"}, .least = 0, .most = 0.999}};
  }

  const TokenScore& score() const { return *score_; }
  RetentionNeeds retention_needs() const override { return score_->needs(); }
  std::unique_ptr<LayerRetention> open_layer(std::int64_t layer, const CacheShape& prompt,
                                             std::int64_t) const override {
    const std::int64_t n = tokens_kept(layer, prompt), n_sure = n_surely_kept(n);
    const bool exact = n >= prompt.n_tokens;
    if (!exact) score_->require_tokens(prompt.n_tokens);
    return std::make_unique<PromptRetention>(
        [score = score_, n, n_sure, exact](const PromptView& view,
                                           const NdView<std::uint8_t, 2>& kept) {
          if (exact) return;
          NdArray<double, 2> scores(kept.shape());
          score->score(view, scores.view());
          keep_best(scores.view(), n, n_sure, kept);
        });
  }

 protected:
  /// Tokens that a KV head keeps.
  virtual std::int64_t tokens_kept(std::int64_t layer, const CacheShape& prompt) const {
    static_cast<void>(layer);
    return n_kept(prompt.n_tokens, this->params().compression_ratio);
  }
  /// Of `n`, those that are its own best; the others may go to other heads of the layer.
  virtual std::int64_t n_surely_kept(std::int64_t n) const { return n; }

 private:
  std::shared_ptr<const TokenScore> score_;
};

}  // namespace qaq
