#include "core/policy/hybrid_retention.h"

#include <vector>

#include "core/policy/running_importance.h"

namespace qaq {
namespace {

class Layer : public LayerRetention {
 public:
  Layer(const EvictionParams& params, const ImportanceOptions& importance, const CacheShape& prompt)
      : params_(params),
        running_(importance, {1, prompt.n_kv_heads, prompt.n_tokens}),
        n_below_(static_cast<std::size_t>(prompt.n_kv_heads)) {}

  void prompt(const PromptView& view, const NdView<std::uint8_t, 2>& kept) override {
    for (std::int64_t s = 0; s < view.shape.n_tokens; ++s) take(view.scores, s, s, kept);
  }

  void step(const StepView& view, const NdView<std::uint8_t, 2>& kept) override {
    const std::int64_t n_tokens = view.scores.shape(1);
    running_.make_room(n_tokens);
    take({view.scores.data(), {view.scores.shape(0), 1, n_tokens}}, 0, n_tokens - 1, kept);
  }

 private:
  // Step s, whose scores are row `row`.
  void take(const NdView<const float, 3>& rows, std::int64_t row, std::int64_t s,
            const NdView<std::uint8_t, 2>& kept) {
    running_.push_row(0, s, rows, row);
    const NdView<const float, 3> importance = running_.of_first(s + 1);
    const double least = params_.factor / static_cast<double>(s + 1);
    for (std::int64_t head = 0; head < kept.shape(0); ++head) {
      std::vector<int>& n_below = n_below_[static_cast<std::size_t>(head)];
      n_below.resize(static_cast<std::size_t>(s + 1));
      for (std::int64_t t = 0; t <= s; ++t) {
        int& n = n_below[static_cast<std::size_t>(t)];
        n = double{importance(0, head, t)} < least ? n + 1 : 0;
        const bool guarded = t < params_.n_sink || s - t < params_.n_recent;
        if (n >= params_.patience && !guarded) kept(head, t) = 0;
      }
    }
  }

  EvictionParams params_;
  RunningImportance running_;
  std::vector<std::vector<int>> n_below_;  // by KV head and token: successive steps
};

}  // namespace

std::unique_ptr<LayerRetention> HybridRetention::open_layer(std::int64_t, const CacheShape& prompt,
                                                            std::int64_t) const {
  return std::make_unique<Layer>(params_, importance_, prompt);
}

}  // namespace qaq
