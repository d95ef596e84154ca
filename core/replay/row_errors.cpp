#include "core/replay/row_errors.h"

#include <algorithm>
#include <cassert>
#include <functional>

#include "core/base/parallel.h"
#include "core/replay/score_rows.h"
#include "core/tensor/matmul.h"
#include "core/tensor/vector_math.h"

namespace qaq {
namespace {

// The first n_keys scores of each row, close together as a matrix product wants them.
NdArray<float, 2> visible_scores(const NdView<const float, 2>& scores, std::int64_t first_row,
                                 const Shape<2>& shape) {
  NdArray<float, 2> out(shape);
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    const float* row = scores.sub(first_row + i).data();
    std::copy(row, row + shape[1], out.sub(i).data());
  }
  return out;
}

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
  constexpr std::int64_t kRows = 64;
  const auto n_rows = static_cast<std::int64_t>(positions.size());
  const std::int64_t n_blocks = (n_rows + kRows - 1) / kRows;
  parallel_for(n_heads * n_blocks, [&](std::int64_t task) {
    const std::int64_t first = task % n_blocks * kRows;
    const auto count = static_cast<std::size_t>(std::min(kRows, n_rows - first));
    body({task / n_blocks, first, positions.subspan(static_cast<std::size_t>(first), count)});
  });
}

// The keys or values that a piece sees, (n_keys, D).
NdView<const float, 2> seen(const NdView<const float, 3>& cache, const RowPiece& piece,
                            std::int64_t n_heads) {
  const std::int64_t group = n_heads / cache.shape(0);
  return {cache.sub(piece.head / group).data(), {piece.n_keys(), cache.shape(2)}};
}

}  // namespace

NdArray<float, 3> row_outputs(const NdView<const float, 3>& value,
                              const NdView<const float, 3>& scores,
                              std::span<const std::int32_t> positions) {
  const std::int64_t n_heads = scores.shape(0);
  NdArray<float, 3> out({n_heads, scores.shape(1), value.shape(2)});
  for_pieces(n_heads, positions, [&](const RowPiece& piece) {
    const NdArray<float, 2> rows =
        visible_scores(scores.sub(piece.head), piece.first, {piece.n_rows(), piece.n_keys()});
    matmul_nn(rows.view(), seen(value, piece, n_heads),
              {out.sub(piece.head, piece.first).data(), {piece.n_rows(), value.shape(2)}});
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
  for_pieces(n_heads, positions, [&](const RowPiece& piece) {
    NdArray<float, 2> new_scores({piece.n_rows(), piece.n_keys()});
    score_rows(caches.query.sub(piece.head), seen(caches.key, piece, n_heads), piece.positions,
               caches.window, new_scores.view());
    NdArray<float, 2> new_output({piece.n_rows(), head_dim});
    matmul_nn(new_scores.view(), seen(caches.new_value, piece, n_heads), new_output.view());

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
