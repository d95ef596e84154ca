#pragma once

#include "core/policy/window_score.h"

namespace qaq {

struct PyramidKvParams : PressParams {
  double beta = 20;
  WindowParams window{};

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    PressParams::visit(self, v);
    v(ParameterInfo{.name = "beta",
                    .help = "The last layer keeps 1 / beta of the mean over layers, the first so "
                            "much more than the mean",
                    .min = 1,
                    .max = 1e6},
      self.beta);
    WindowParams::visit(self.window, v);
  }
};
inline void validate(const PyramidKvParams& params) { validate(params.window); }

/// Tokens that a KV head of `layer` keeps, the window included: falling in equal steps over the
/// layers, or the mean in all where the steps would leave the window or the prompt.
std::int64_t pyramid_budget(const PyramidKvParams& params, std::int64_t layer,
                            std::int64_t n_layers, std::int64_t n_tokens);

/// SnapKV with more tokens in early layers than in late ones (arXiv 2406.02069), in kvpress' form.
/// Section 8 of the mathematics, pyramidkv.
class PyramidKvPolicy : public PressPolicy<PyramidKvParams> {
 public:
  static constexpr std::string_view kHelp =
      "snapkv with more tokens in early layers than in late ones (kvpress 0.5.5)";

  static PolicyBudget budget() {
    return {.choices = {window_choice()}, .range = PressPolicy::budget().range};
  }

  explicit PyramidKvPolicy(PyramidKvParams params)
      : PressPolicy(params, std::make_shared<WindowScore>(params.window)) {}
  std::string_view name() const override { return "pyramidkv"; }
  std::unique_ptr<LayerRetention> open_layer(std::int64_t layer, const CacheShape& prompt,
                                             std::int64_t n_heads) const override {
    require_group(params().window, n_heads, prompt.n_kv_heads);
    return PressPolicy::open_layer(layer, prompt, n_heads);
  }

 protected:
  std::int64_t tokens_kept(std::int64_t layer, const CacheShape& prompt) const override {
    return pyramid_budget(params(), layer, prompt.n_layers, prompt.n_tokens);
  }
};

}  // namespace qaq
