#include "core/policy/h2o_policy.h"

#include "core/base/parallel.h"
#include "core/policy/importance.h"
#include "core/policy/top_tokens.h"

namespace qaq {

void HeavyHitters::prompt(const PromptView& view, const NdView<std::uint8_t, 2>& kept) {
  heads_.assign(static_cast<std::size_t>(kept.shape(0)), {});
  parallel_for(kept.shape(0), [&](std::int64_t head) {
    std::vector<Cached>& cached = heads_[static_cast<std::size_t>(head)];
    std::vector<float> seen(static_cast<std::size_t>(kept.shape(1)));
    for (std::int64_t token = 0; token < kept.shape(1); ++token) cached.push_back({token});
    for (std::int64_t row = 0; row < view.scores.shape(1); ++row) {
      row_importance(view.scores, gqa_, head, kept.shape(0), row, seen);
      for (std::size_t i = 0; i < seen.size(); ++i) cached[i].attention += seen[i];
    }
    evict(cached, kept.sub(head).span());
  });
}

void HeavyHitters::step(const StepView& view, const NdView<std::uint8_t, 2>& kept) {
  const std::int64_t n_tokens = view.scores.shape(1);
  const NdView<const float, 3> row(view.scores.data(), {view.scores.shape(0), 1, n_tokens});
  std::vector<float> seen(static_cast<std::size_t>(n_tokens));
  for (std::int64_t head = 0; head < kept.shape(0); ++head) {
    std::vector<Cached>& cached = heads_[static_cast<std::size_t>(head)];
    cached.push_back({n_tokens - 1});
    row_importance(row, gqa_, head, kept.shape(0), 0, seen);
    for (Cached& each : cached) each.attention += seen[static_cast<std::size_t>(each.token)];
    evict(cached, kept.sub(head).span());
  }
}

void HeavyHitters::evict(std::vector<Cached>& cached, std::span<std::uint8_t> kept) const {
  const std::int64_t n_older = std::ssize(cached) - n_recent_;
  if (n_older <= n_heavy_) return;
  std::vector<double> attention;
  for (std::int64_t i = 0; i < n_older; ++i) {
    attention.push_back(cached[static_cast<std::size_t>(i)].attention);
    kept[static_cast<std::size_t>(cached[static_cast<std::size_t>(i)].token)] = 0;
  }
  std::vector<Cached> left;
  for (const std::size_t i : largest(attention, n_heavy_)) {
    kept[static_cast<std::size_t>(cached[i].token)] = 1;
    left.push_back(cached[i]);
  }
  left.insert(left.end(), cached.begin() + n_older, cached.end());
  cached = std::move(left);
}

std::unique_ptr<LayerRetention> H2oPolicy::open_layer(std::int64_t, const CacheShape& prompt,
                                                      std::int64_t) const {
  const H2oParams& own = params();
  std::int64_t n_heavy = own.hh_size, n_recent = own.recent_size;
  if (own.budget_by == H2oBudget::ratio) {
    const auto n_tokens = static_cast<double>(prompt.n_tokens);
    n_heavy = static_cast<std::int64_t>(own.heavy_ratio * n_tokens);
    n_recent = static_cast<std::int64_t>(own.recent_ratio * n_tokens);
  }
  if (n_heavy + n_recent == 0) n_recent = 1;
  return std::make_unique<HeavyHitters>(n_heavy, n_recent, own.gqa);
}

}  // namespace qaq
