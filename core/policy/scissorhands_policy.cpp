#include "core/policy/scissorhands_policy.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/base/text.h"
#include "core/policy/importance.h"
#include "core/policy/top_tokens.h"

namespace qaq {

void validate(const ScissorhandsParams& params) {
  const std::int64_t n_left = params.budget - params.n_dropped();
  if (n_left >= std::max<std::int64_t>(1, params.recent_window)) return;
  refuse_usage(
      {.place = "budget",
       .what = cat("of ", params.budget, " tokens ", params.n_dropped(),
                   " are dropped, which leaves no room for the newest ", params.recent_window),
       .cure = "raise budget, or lower drop or recent_window"});
}

void PivotalTokens::prompt(const PromptView& view, const NdView<std::uint8_t, 2>& kept) {
  const std::int64_t n_tokens = kept.shape(1), n_rows = view.scores.shape(1);
  heads_.assign(static_cast<std::size_t>(kept.shape(0)), {});
  parallel_for(kept.shape(0), [&](std::int64_t head) {
    std::vector<Cached>& cached = heads_[static_cast<std::size_t>(head)];
    const std::vector<bool> none(static_cast<std::size_t>(params_.history_window));
    for (std::int64_t token = 0; token < n_tokens; ++token) cached.push_back({token, none});
    std::vector<float> seen(static_cast<std::size_t>(n_tokens));
    const std::int64_t n_counted = std::min(n_rows, params_.history_window);
    for (std::int64_t row = n_tokens - n_counted; row < n_tokens; ++row) {
      row_importance(view.scores, params_.gqa, head, kept.shape(0), row + n_rows - n_tokens, seen);
      add_row(head, row, seen);
    }
    compress(head, kept.sub(head).span());
  });
}

void PivotalTokens::step(const StepView& view, const NdView<std::uint8_t, 2>& kept) {
  const std::int64_t n_tokens = view.scores.shape(1);
  const NdView<const float, 3> row(view.scores.data(), {view.scores.shape(0), 1, n_tokens});
  std::vector<float> seen(static_cast<std::size_t>(n_tokens));
  for (std::int64_t head = 0; head < kept.shape(0); ++head) {
    heads_[static_cast<std::size_t>(head)].push_back(
        {n_tokens - 1, std::vector<bool>(static_cast<std::size_t>(params_.history_window))});
    row_importance(row, params_.gqa, head, kept.shape(0), 0, seen);
    add_row(head, n_tokens - 1, seen);
    compress(head, kept.sub(head).span());
  }
}

void PivotalTokens::add_row(std::int64_t kv_head, std::int64_t row, std::span<const float> seen) {
  const double average = 1 / static_cast<double>(row + 1);
  const auto at = static_cast<std::size_t>(row % params_.history_window);
  for (Cached& each : heads_[static_cast<std::size_t>(kv_head)]) {
    const bool visible = each.token <= row;
    each.below[at] = visible && seen[static_cast<std::size_t>(each.token)] < average;
  }
}

std::vector<double> PivotalTokens::counters(std::int64_t kv_head) const {
  std::vector<double> out;
  const std::int64_t n_older = std::ssize(cached(kv_head)) - params_.recent_window;
  for (const Cached& each : cached(kv_head)) {
    const auto n_below = std::count(each.below.begin(), each.below.end(), true);
    out.push_back(std::ssize(out) < n_older ? static_cast<double>(n_below) : 0.0);
  }
  return out;
}

void PivotalTokens::compress(std::int64_t kv_head, std::span<std::uint8_t> kept) {
  std::vector<Cached>& cached = heads_[static_cast<std::size_t>(kv_head)];
  if (std::ssize(cached) < params_.budget) return;
  const std::int64_t n_left = params_.budget - params_.n_dropped();
  for (const std::size_t i : largest(counters(kv_head), std::ssize(cached) - n_left)) {
    kept[static_cast<std::size_t>(cached[i].token)] = 0;
  }
  std::erase_if(cached,
                [&](const Cached& each) { return !kept[static_cast<std::size_t>(each.token)]; });
}

}  // namespace qaq
