#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace qaq {

/// What the scores of a head are made of besides its queries and keys.
struct ScoreRule {
  std::int64_t window = 0;   ///< keys that a query sees, itself among them; 0: all
  float alibi_slope = 0.0f;  ///< ALiBi: what a score loses for each token of distance; 0: nothing
  std::int64_t top_k = 0;    ///< of the keys that are seen, those with the largest scores; 0: all
};

/// The same of all heads of a layer.
struct LayerScoreRule {
  std::int64_t window = 0;
  std::span<const float> alibi_slopes{};  ///< (n_heads); empty: no ALiBi
  std::int64_t top_k = 0;

  ScoreRule of_head(std::int64_t head) const {
    return {window, alibi_slopes.empty() ? 0.0f : alibi_slopes[static_cast<std::size_t>(head)],
            top_k};
  }
  LayerScoreRule with_top_k(std::int64_t k) const { return {window, alibi_slopes, k}; }
};

/// products[i] = scale * products[i] - slope * distance, for keys in order of which the first is
/// `first_distance` tokens before the query.
void add_alibi(std::span<float> products, float scale, float slope, std::int64_t first_distance);

/// Products q . k of one query with keys from position 0 on become its attention: the softmax of
/// products / sqrt(D), less what ALiBi takes, over those of the first `n_visible` keys that the
/// rule lets it see (sparse_softmax_row()), zero elsewhere. The query is the last of the visible.
/// The one definition that the engine and every replay use.
void to_attention(std::span<float> products, std::int64_t n_visible, std::int64_t head_dim,
                  const ScoreRule& rule);

}  // namespace qaq
