#include "core/policy/importance.h"

#include <algorithm>
#include <cassert>
#include <vector>

namespace qaq {

void row_importance(const NdView<const float, 3>& scores, GqaReduce reduce, std::int64_t kv_head,
                    std::int64_t n_kv_heads, std::int64_t row, std::span<float> out,
                    std::int64_t head_stride) {
  assert(scores.shape(0) % n_kv_heads == 0 && scores.shape(2) >= std::ssize(out));
  const std::int64_t group = scores.shape(0) / n_kv_heads;
  std::fill(out.begin(), out.end(), 0.0f);
  std::int64_t n_heads = 0;
  for (std::int64_t i = 0; i < group; i += head_stride, ++n_heads) {
    const std::int64_t head = kv_head * group + i;
    const auto s = scores.sub(head, row).span();
    for (std::size_t t = 0; t < out.size(); ++t) {
      out[t] = reduce == GqaReduce::max ? std::max(out[t], s[t]) : out[t] + s[t];
    }
  }
  if (reduce != GqaReduce::mean) return;
  for (float& value : out) value /= static_cast<float>(n_heads);
}

void window_importance(const NdView<const float, 3>& scores, GqaReduce reduce,
                       const NdView<float, 2>& out, std::int64_t head_stride) {
  const std::int64_t n_kv_heads = out.shape(0), n_tokens = out.shape(1), n_rows = scores.shape(1);
  std::vector<float> seen(static_cast<std::size_t>(n_tokens));
  for (std::int64_t kv_head = 0; kv_head < n_kv_heads; ++kv_head) {
    const auto importance = out.sub(kv_head).span();
    std::fill(importance.begin(), importance.end(), 0.0f);
    for (std::int64_t row = 0; row < n_rows; ++row) {
      row_importance(scores, reduce, kv_head, n_kv_heads, row, seen, head_stride);
      for (std::size_t t = 0; t < seen.size(); ++t) {
        importance[t] = std::max(importance[t], seen[t]);
      }
    }
  }
}

}  // namespace qaq
