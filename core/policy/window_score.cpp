#include "core/policy/window_score.h"

#include <algorithm>
#include <limits>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/attention_sums.h"

namespace qaq {

void validate(const WindowParams& params) {
  if (params.kernel_size % 2 == 1) return;
  refuse_usage({.place = "kernel_size",
                .what = cat(params.kernel_size, " tokens have no middle one"),
                .cure = cat("set kernel_size=", params.kernel_size + 1)});
}

void require_group(const WindowParams& params, std::int64_t n_heads, std::int64_t n_kv_heads) {
  if (params.gqa != WindowGroup::repeat || n_heads == n_kv_heads) return;
  refuse_usage({.place = "gqa",
                .what = cat("repeat gives each of ", n_heads, " query heads a cache of its own, ",
                            n_heads / n_kv_heads, " times that of ", n_kv_heads, " KV heads"),
                .cure = "set gqa=mean or gqa=max"});
}

NdArray<double, 2> window_attention(const WindowParams& params, const PromptView& view) {
  const std::int64_t n_before = view.shape.n_tokens - params.window_size;
  const NdArray<double, 2> sums = attention_sums(view.scores, params.window_size, n_before);
  NdArray<double, 2> out =
      reduce_groups(sums.view(), params.gqa == WindowGroup::max ? GqaReduce::max : GqaReduce::mean,
                    view.shape.n_kv_heads);
  for (std::int64_t head = 0; head < out.shape(0); ++head) {
    const auto row = out.sub(head).span();
    std::ranges::copy(pooled(row, params.kernel_size, params.pooling), row.begin());
  }
  return out;
}

void WindowScore::require_tokens(std::int64_t n_tokens) const {
  if (n_tokens > params_.window_size) return;
  refuse_usage({.place = "window_size",
                .what = cat("a prompt of ", n_tokens, " tokens has none before a window of ",
                            params_.window_size),
                .cure = "lower window_size, or set compression_ratio=0"});
}

void WindowScore::score(const PromptView& view, const NdView<double, 2>& out) const {
  const NdArray<double, 2> sums = window_attention(params_, view);
  std::ranges::fill(out.span(), std::numeric_limits<double>::infinity());
  for (std::int64_t head = 0; head < out.shape(0); ++head) {
    for (std::int64_t token = 0; token < sums.shape(1); ++token) {
      out(head, token) = sums(head, token) / static_cast<double>(params_.window_size);
    }
  }
}

}  // namespace qaq
