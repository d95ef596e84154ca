#include "core/engine/attention.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/model/attention_window.h"
#include "core/tensor/panel.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

// Products of the keys from first_key on with a query of the KV head's group.
void hide_evicted(const AttentionCall& call, std::int64_t kv, std::int64_t first_key,
                  std::span<float> products) {
  if (first_key >= call.kept.shape(1)) return;
  hide_dropped(call.kept.sub(kv).span().subspan(static_cast<std::size_t>(first_key)), products);
}

// Some rows of one head. Row i of `scores` is position first_position + i, `stride` numbers long.
struct HeadRowsPiece {
  std::int64_t head = 0;
  std::int64_t first_row = 0;
  std::int64_t n_rows = 0;
  float* scores = nullptr;
  std::int64_t stride = 0;
};

void attend_rows(const AttentionCall& call, const HeadRowsPiece& piece) {
  const std::int64_t d = call.shape->head_dim, kv = piece.head / call.shape->group_size();
  const std::int64_t position = call.first_position + piece.first_row;
  const std::int64_t n_seen = position + piece.n_rows;  // keys that the last row sees
  // The first key that any row sees, and the panel that holds it.
  const std::int64_t first_key = first_key_seen(position + 1, call.rule.window);
  const std::int64_t first_panel = first_key / kPanelColumns;

  for (std::int64_t panel = first_panel; panel * kPanelColumns < n_seen; ++panel) {
    const std::int64_t key = panel * kPanelColumns;
    multiply_panel({.a = call.query + (piece.head * call.n_rows + piece.first_row) * d,
                    .a_stride = d,
                    .panel = call.cache->key_panel(call.layer, kv, panel),
                    .n_rows = piece.n_rows,
                    .depth = d,
                    .c = piece.scores + key,
                    .c_stride = piece.stride,
                    .n_columns = std::min(kPanelColumns, piece.stride - key)});
  }
  const ScoreRule rule = call.rule.of_head(piece.head);
  for (std::int64_t row = 0; row < piece.n_rows; ++row) {
    float* scores = piece.scores + row * piece.stride;
    const std::int64_t end = position + row + 1;
    const std::int64_t first = first_key_seen(end, rule.window);
    hide_evicted(call, kv, first, {scores + first, static_cast<std::size_t>(end - first)});
    to_attention({scores, static_cast<std::size_t>(piece.stride)}, end, d, rule);
  }
  const std::int64_t out_stride = call.shape->n_heads * d;
  for (std::int64_t column = 0; column < d; column += kPanelColumns) {
    multiply_panel({.a = piece.scores + first_key,
                    .a_stride = piece.stride,
                    .panel = call.cache->values(call.layer, kv, first_key) + column,
                    .panel_stride = call.cache->value_stride(),
                    .n_rows = piece.n_rows,
                    .depth = n_seen - first_key,
                    .c = call.out + piece.first_row * out_stride + piece.head * d + column,
                    .c_stride = out_stride,
                    .n_columns = std::min(kPanelColumns, d - column)});
  }
}

// One row: keys and values are read once for all heads of a group, in stretches that several
// threads share; each stretch has a softmax of its own, and they are put together at the end.
constexpr std::int64_t kStretch = 512;  // keys; whole panels

struct Stretch {
  std::int64_t first_key = 0;  ///< in whole panels
  std::int64_t begin = 0;      ///< the first key that is seen
  std::int64_t end = 0;
};

// What a stretch gives for the heads of a group.
struct StretchSums {
  std::vector<float> scores;   ///< (group, kStretch): exp(score - largest)
  std::vector<float> largest;  ///< (group): scaled
  std::vector<double> sum;     ///< (group)
  std::vector<float> mixed;    ///< (group, D): values, weighted by scores
};

StretchSums attend_stretch(const AttentionCall& call, std::int64_t kv, const Stretch& keys) {
  const std::int64_t d = call.shape->head_dim, group = call.shape->group_size();
  StretchSums out{std::vector<float>(static_cast<std::size_t>(group * kStretch)),
                  std::vector<float>(static_cast<std::size_t>(group)),
                  std::vector<double>(static_cast<std::size_t>(group)),
                  std::vector<float>(static_cast<std::size_t>(group * d))};
  for (std::int64_t key = keys.first_key; key < keys.end; key += kPanelColumns) {
    multiply_panel({.a = call.query + kv * group * d,
                    .a_stride = d,
                    .panel = call.cache->key_panel(call.layer, kv, key / kPanelColumns),
                    .n_rows = group,
                    .depth = d,
                    .c = out.scores.data() + key - keys.first_key,
                    .c_stride = kStretch});
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d)));
  const std::int64_t skipped = keys.begin - keys.first_key;
  for (std::int64_t head = 0; head < group; ++head) {
    const std::span<float> seen(out.scores.data() + head * kStretch + skipped,
                                static_cast<std::size_t>(keys.end - keys.begin));
    hide_evicted(call, kv, keys.begin, seen);
    const float slope = call.rule.of_head(kv * group + head).alibi_slope;
    if (slope != 0.0f) add_alibi(seen, scale, slope, call.first_position - keys.begin);
    const float factor = slope != 0.0f ? 1.0f : scale;
    const float most = largest_of(seen);
    const auto i = static_cast<std::size_t>(head);
    out.sum[i] = exp_row(seen, most, factor);
    out.largest[i] = most * factor;
  }
  for (std::int64_t column = 0; column < d; column += kPanelColumns) {
    multiply_panel({.a = out.scores.data() + skipped,
                    .a_stride = kStretch,
                    .panel = call.cache->values(call.layer, kv, keys.begin) + column,
                    .panel_stride = call.cache->value_stride(),
                    .n_rows = group,
                    .depth = keys.end - keys.begin,
                    .c = out.mixed.data() + column,
                    .c_stride = d,
                    .n_columns = std::min(kPanelColumns, d - column)});
  }
  return out;
}

// Puts the stretches of one head together.
void join_stretches(const AttentionCall& call, std::span<const Stretch> keys,
                    std::span<const StretchSums> sums, std::int64_t head, float* scores) {
  const std::int64_t d = call.shape->head_dim;
  const auto member = static_cast<std::size_t>(head % call.shape->group_size());
  float most = sums[0].largest[member];
  for (const StretchSums& s : sums) most = std::max(most, s.largest[member]);
  std::vector<double> share;
  double total = 0;
  for (const StretchSums& s : sums) {
    share.push_back(std::exp(static_cast<double>(s.largest[member]) - static_cast<double>(most)));
    total += share.back() * s.sum[member];
  }
  float* out = call.out + head * d;
  std::fill_n(out, d, 0.0f);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const auto factor = static_cast<float>(share[i] / total);
    const float* mixed = sums[i].mixed.data() + member * static_cast<std::size_t>(d);
    for (std::int64_t channel = 0; channel < d; ++channel) out[channel] += factor * mixed[channel];
    if (!scores) continue;
    const float* from = sums[i].scores.data() + member * kStretch - keys[i].first_key;
    for (std::int64_t key = keys[i].begin; key < keys[i].end; ++key) {
      scores[key] = factor * from[key];
    }
  }
}

void attend_one(const AttentionCall& call, float* scores) {
  const std::int64_t n_keys = call.first_position + 1;
  const std::int64_t begin = first_key_seen(n_keys, call.rule.window);
  std::vector<Stretch> keys;
  for (std::int64_t key = begin / kPanelColumns * kPanelColumns; key < n_keys; key += kStretch) {
    keys.push_back({key, std::max(begin, key), std::min(n_keys, key + kStretch)});
  }
  const auto n_stretches = static_cast<std::int64_t>(keys.size());
  const std::int64_t n_kv_heads = call.shape->n_kv_heads;
  std::vector<StretchSums> sums(static_cast<std::size_t>(n_kv_heads * n_stretches));
  parallel_for(n_kv_heads * n_stretches, [&](std::int64_t task) {
    sums[static_cast<std::size_t>(task)] = attend_stretch(
        call, task / n_stretches, keys[static_cast<std::size_t>(task % n_stretches)]);
  });
  for (std::int64_t head = 0; head < call.shape->n_heads; ++head) {
    const std::int64_t kv = head / call.shape->group_size();
    float* row = scores ? scores + head * n_keys : nullptr;
    if (row) std::fill_n(row, begin, 0.0f);
    join_stretches(call, keys,
                   std::span(sums).subspan(static_cast<std::size_t>(kv * n_stretches),
                                           static_cast<std::size_t>(n_stretches)),
                   head, row);
  }
}

}  // namespace

void attend(const AttentionCall& call, const AttentionPart& part, float* scores) {
  // Stretches are of all keys; the largest logits are known of whole rows alone.
  const bool sparse = call.rule.top_k > 0 && call.rule.top_k <= call.first_position;
  if (call.n_rows == 1 && part.n_heads == call.shape->n_heads && !sparse) {
    return attend_one(call, scores);
  }
  const std::int64_t n_keys = call.first_position + call.n_rows;
  const std::int64_t n_pieces = (part.n_rows + kAttentionRows - 1) / kAttentionRows;
  parallel_for(part.n_heads * n_pieces, [&](std::int64_t task) {
    const std::int64_t head = task / n_pieces, row = task % n_pieces * kAttentionRows;
    HeadRowsPiece piece{.head = part.first_head + head,
                        .first_row = part.first_row + row,
                        .n_rows = std::min(kAttentionRows, part.n_rows - row)};
    thread_local std::vector<float> scratch;
    if (scores) {
      piece.scores = scores + (head * part.n_rows + row) * n_keys;
      piece.stride = n_keys;
    } else {
      piece.stride = whole_panels(call.first_position + piece.first_row + piece.n_rows);
      scratch.resize(static_cast<std::size_t>(std::max<std::int64_t>(
          static_cast<std::int64_t>(scratch.size()), kAttentionRows * piece.stride)));
      piece.scores = scratch.data();
    }
    attend_rows(call, piece);
  });
}

}  // namespace qaq
