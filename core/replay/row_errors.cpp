#include "core/replay/row_errors.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <vector>

#include "core/base/parallel.h"
#include "core/replay/score_rows.h"
#include "core/tensor/matmul.h"
#include "core/tensor/panel.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

// Some rows of one head, whose keys lie before the last row's end.
struct RowPiece {
  std::int64_t head = 0;
  std::int64_t first = 0;
  std::span<const std::int32_t> positions{};
  std::int64_t n_keys() const { return positions.back() + 1; }
  std::int64_t n_rows() const { return static_cast<std::int64_t>(positions.size()); }
};

// In parallel. The pieces are the same for whatever is computed of them, and so are its bytes.
void for_pieces(std::int64_t n_heads, std::span<const std::int32_t> positions,
                const std::function<void(const RowPiece&)>& body) {
  // As many as the scores of which stay in a core's own cache.
  constexpr std::int64_t kRows = 24;
  const auto n_rows = static_cast<std::int64_t>(positions.size());
  const std::int64_t n_blocks = (n_rows + kRows - 1) / kRows;
  parallel_for(n_heads * n_blocks, [&](std::int64_t task) {
    const std::int64_t first = task % n_blocks * kRows;
    const auto count = static_cast<std::size_t>(std::min(kRows, n_rows - first));
    body({task / n_blocks, first, positions.subspan(static_cast<std::size_t>(first), count)});
  });
}

// out (n_rows, D) = scores values, over the keys that the piece sees. Rows of scores are `stride`
// numbers apart.
void mix_values(const RowPiece& piece, const float* scores, std::int64_t stride,
                const NdView<const float, 2>& values, float* out) {
  const std::int64_t dim = values.shape(1);
  if (dim % kPanelColumns != 0) {
    matmul_nn({scores, piece.n_rows(), piece.n_keys(), stride},
              {values.data(), piece.n_keys(), dim, dim}, {out, piece.n_rows(), dim, dim});
    return;
  }
  for (std::int64_t channel = 0; channel < dim; channel += kPanelColumns) {
    multiply_panel({.a = scores,
                    .a_stride = stride,
                    .panel = values.data() + channel,
                    .panel_stride = dim,
                    .n_rows = piece.n_rows(),
                    .depth = piece.n_keys(),
                    .c = out + channel,
                    .c_stride = dim});
  }
}

// Numbers that a piece needs in between: fresh memory would cost as much as the work.
float* scratch(std::int64_t n) {
  thread_local std::vector<float, LineAllocator<float>> kept;
  if (std::ssize(kept) < n) kept.resize(static_cast<std::size_t>(n));
  return kept.data();
}

}  // namespace

NdArray<float, 3> row_outputs(const NdView<const float, 3>& value,
                              const NdView<const float, 3>& scores,
                              std::span<const std::int32_t> positions) {
  const std::int64_t n_heads = scores.shape(0);
  NdArray<float, 3> out({n_heads, scores.shape(1), value.shape(2)});
  const std::int64_t group = n_heads / value.shape(0);
  for_pieces(n_heads, positions, [&](const RowPiece& piece) {
    mix_values(piece, scores.sub(piece.head, piece.first).data(), scores.shape(2),
               value.sub(piece.head / group), out.sub(piece.head, piece.first).data());
  });
  return out;
}

RowErrors row_errors(const LayerCaches& caches, const NdView<const float, 3>& scores,
                     std::span<const std::int32_t> positions) {
  const NdArray<float, 3> output = row_outputs(caches.value, scores, positions);
  return row_errors(caches, scores, positions, output.view());
}

RowErrors row_errors(const LayerCaches& caches, const NdView<const float, 3>& scores,
                     std::span<const std::int32_t> positions,
                     const NdView<const float, 3>& output) {
  const std::int64_t n_heads = scores.shape(0), head_dim = caches.key.shape(2);
  assert(static_cast<std::int64_t>(positions.size()) == scores.shape(1));
  RowErrors errors({n_heads, scores.shape(1)});
  const std::vector<ScoreKeys> keys = score_keys(caches.key, scores.shape(1));
  const std::int64_t group = n_heads / caches.key.shape(0);
  for_pieces(n_heads, positions, [&](const RowPiece& piece) {
    float* numbers = scratch(piece.n_rows() * (piece.n_keys() + head_dim));
    const NdView<float, 2> new_scores(numbers, {piece.n_rows(), piece.n_keys()});
    const NdView<float, 2> new_output(numbers + new_scores.size(), {piece.n_rows(), head_dim});
    const std::int64_t kv_head = piece.head / group;
    score_rows(caches.query.sub(piece.head), keys[static_cast<std::size_t>(kv_head)],
               piece.positions, {caches.window, caches.top_k}, new_scores);
    mix_values(piece, new_scores.data(), piece.n_keys(), caches.new_value.sub(kv_head),
               new_output.data());

    const auto n_keys = static_cast<std::size_t>(piece.n_keys());
    const auto n_prefix = std::min(static_cast<std::size_t>(caches.prefix), n_keys);
    for (std::int64_t i = 0; i < piece.n_rows(); ++i) {
      const std::int64_t row = piece.first + i;
      const std::span<const float> s = scores.sub(piece.head, row).span().first(n_keys),
                                   t = new_scores.sub(i).span();
      const double inside = squared_distance(t.first(n_prefix), s.first(n_prefix));
      const double behind = squared_distance(t.subspan(n_prefix), s.subspan(n_prefix));
      const double change =
          squared_distance(new_output.sub(i).span(), output.sub(piece.head, row).span());
      errors.prefix_attention(piece.head, row) = inside;
      errors.attention(piece.head, row) = inside + behind;
      errors.output(piece.head, row) = change / static_cast<double>(head_dim);
    }
  });
  return errors;
}

}  // namespace qaq
