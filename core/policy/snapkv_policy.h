#pragma once

#include <array>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/window_score.h"

namespace qaq {

struct SnapKvParams {
  std::int64_t max_capacity_prompt = 2048;
  WindowParams window{.window_size = 32};

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "max_capacity_prompt",
                    .help = "Tokens of the prompt that a KV head keeps, the window among them; "
                            "shorter prompts stay whole, later tokens stay",
                    .unit = "tokens",
                    .min = 2,
                    .max = 1 << 24},
      self.max_capacity_prompt);
    WindowParams::visit(self.window, v);
  }
};
inline void validate(const SnapKvParams& params) {
  validate(params.window);
  if (params.max_capacity_prompt > params.window.window_size) return;
  refuse_usage({.place = "max_capacity_prompt",
                .what = cat(params.max_capacity_prompt, " tokens leave none beside a window of ",
                            params.window.window_size),
                .cure = "raise max_capacity_prompt or lower window_size"});
}

/// Keeps the prompt's newest tokens and what they attend to (arXiv 2404.14469). Section 8 of the
/// mathematics, snapkv.
class SnapKvPolicy : public EvictingPolicy<SnapKvParams> {
 public:
  static constexpr std::string_view kHelp =
      "Keeps the prompt's newest tokens and what they attend to (arXiv 2404.14469)";
  static std::span<const PolicyPreset> presets() {
    static const std::array kAll{PolicyPreset{"class",
                                              "defaults of SnapKVCluster in FasterDecoding/SnapKV",
                                              {"window_size=64", "max_capacity_prompt=320"}},
                                 PolicyPreset{"longbench",
                                              "LongBench runs of FasterDecoding/SnapKV",
                                              {"kernel_size=7", "pooling=maxpool"}}};
    return kAll;
  }

  static PolicyBudget budget() {
    return {.choices = {window_choice()},
            .range = BudgetRange{.names = {"max_capacity_prompt"},
                                 .least = 9,
                                 .most = 1 << 20,
                                 .log_scale = true,
                                 .whole = true}};
  }

  using EvictingPolicy::EvictingPolicy;
  std::string_view name() const override { return "snapkv"; }
  RetentionNeeds retention_needs() const override {
    return {.attention_rows = params().window.window_size};
  }
  std::unique_ptr<LayerRetention> open_layer(std::int64_t, const CacheShape& prompt,
                                             std::int64_t n_heads) const override {
    require_group(params().window, n_heads, prompt.n_kv_heads);
    return std::make_unique<PromptRetention>([own = params()](const PromptView& view,
                                                              const NdView<std::uint8_t, 2>& kept) {
      if (view.shape.n_tokens <= own.max_capacity_prompt) return;
      const std::int64_t n_before = view.shape.n_tokens - own.window.window_size;
      const NdArray<double, 2> attention = window_attention(own.window, view);
      for (std::int64_t head = 0; head < kept.shape(0); ++head) {
        const auto before = kept.sub(head).span().first(static_cast<std::size_t>(n_before));
        std::ranges::fill(before, std::uint8_t{0});
        for (const std::size_t token : largest(attention.sub(head).span(),
                                               own.max_capacity_prompt - own.window.window_size)) {
          before[token] = 1;
        }
      }
    });
  }
};

}  // namespace qaq
