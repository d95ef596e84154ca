#include "core/model/score_rule.h"

#include <algorithm>
#include <cmath>

#include "core/model/attention_window.h"
#include "core/tensor/sparse_softmax.h"

namespace qaq {

void add_alibi(std::span<float> products, float scale, float slope, std::int64_t first_distance) {
  for (std::size_t i = 0; i < products.size(); ++i) {
    const auto distance = static_cast<float>(first_distance - static_cast<std::int64_t>(i));
    products[i] = products[i] * scale - slope * distance;
  }
}

void to_attention(std::span<float> products, std::int64_t n_visible, std::int64_t head_dim,
                  const ScoreRule& rule) {
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(head_dim)));
  const std::int64_t first = first_key_seen(n_visible, rule.window);
  std::fill_n(products.begin(), first, 0.0f);
  const std::span<float> row = products.subspan(static_cast<std::size_t>(first));
  const auto n_seen = static_cast<std::size_t>(n_visible - first);
  if (rule.alibi_slope == 0.0f) return sparse_softmax_row(row, n_seen, scale, rule.top_k);
  add_alibi(row.first(n_seen), scale, rule.alibi_slope, n_visible - first - 1);
  sparse_softmax_row(row, n_seen, 1.0f, rule.top_k);
}

}  // namespace qaq
