#pragma once

#include "core/policy/press_policy.h"
#include "core/policy/qaq_params.h"
#include "core/policy/token_pooling.h"

namespace qaq {

/// How a KV head that keeps one set of tokens for its query heads sees them; `repeat` is SnapKV's
/// own way, a set for each query head.
enum class WindowGroup { mean, max, repeat };
template <>
struct ChoiceNames<WindowGroup> {
  static constexpr std::array<std::string_view, 3> names{"mean", "max", "repeat"};
};

/// What the prompt's newest tokens, the window, attend to (SnapKV, arXiv 2404.14469).
/// Windows that are tried where methods are compared at equal bytes: short prompts have no room for
/// the published ones.
inline BudgetChoice window_choice() { return {"window_size", {"64", "32", "8"}}; }

struct WindowParams {
  std::int64_t window_size = 64;
  std::int64_t kernel_size = 5;
  Pooling pooling = Pooling::avgpool;
  WindowGroup gqa = WindowGroup::mean;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    visit_window(self, v);
    v(ParameterInfo{.name = "pooling",
                    .help = "A token's attention becomes the mean of those around it, or the "
                            "largest"},
      self.pooling);
    v(ParameterInfo{.name = "gqa",
                    .help = "How a KV head's query heads are put together before pooling; repeat, "
                            "a cache for each query head as in SnapKV's own code, is refused where "
                            "KV heads have more than one"},
      self.gqa);
  }
  template <class Self, class Visitor>
  static void visit_window(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "window_size",
                    .help = "Newest tokens of the prompt, which stay and whose attention chooses "
                            "the others",
                    .unit = "tokens",
                    .min = 1,
                    .max = 1 << 24},
      self.window_size);
    v(ParameterInfo{.name = "kernel_size",
                    .help = "Tokens that pooling takes together; odd",
                    .unit = "tokens",
                    .min = 1,
                    .max = 1 << 24},
      self.kernel_size);
  }
};
/// Refuses an even kernel_size.
void validate(const WindowParams& params);
/// Refuses gqa=repeat where query heads share a KV head.
void require_group(const WindowParams& params, std::int64_t n_heads, std::int64_t n_kv_heads);

/// What the tokens before the window have of its attention: a sum over its rows, reduced over the
/// group, then pooled. (n_kv_heads, T - window_size), T > window_size.
NdArray<double, 2> window_attention(const WindowParams& params, const PromptView& view);

/// kvpress' SnapKV: window_attention as a mean over rows, the window itself before all others. (Its
/// group comes after pooling, which is the same for a mean of means.)
class WindowScore : public TokenScore {
 public:
  explicit WindowScore(const WindowParams& params) : params_(params) {}
  RetentionNeeds needs() const override { return {.attention_rows = params_.window_size}; }
  /// More than the window.
  void require_tokens(std::int64_t n_tokens) const override;
  void score(const PromptView& view, const NdView<double, 2>& out) const override;

 private:
  WindowParams params_;
};

}  // namespace qaq
