#include "core/replay/row_errors.h"

#include <algorithm>
#include <cassert>

#include "core/base/parallel.h"
#include "core/replay/score_rows.h"
#include "core/replay/squared_distance.h"
#include "core/tensor/matmul.h"

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

}  // namespace

RowErrors row_errors(const LayerCaches& caches, const NdView<const float, 3>& scores,
                     std::span<const std::int32_t> positions) {
  const std::int64_t n_heads = scores.shape(0), n_rows = scores.shape(1);
  const std::int64_t group = n_heads / caches.key.shape(0), head_dim = caches.key.shape(2);
  assert(static_cast<std::int64_t>(positions.size()) == n_rows);
  RowErrors errors({n_heads, n_rows});
  constexpr std::int64_t kBlock = 64;
  const std::int64_t n_blocks = (n_rows + kBlock - 1) / kBlock;
  parallel_for(n_heads * n_blocks, [&](std::int64_t task) {
    const std::int64_t head = task / n_blocks, first = task % n_blocks * kBlock;
    const std::int64_t count = std::min(kBlock, n_rows - first);
    const auto block =
        positions.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    const std::int64_t n_keys = block.back() + 1;
    const auto keys_of = [&](const NdView<const float, 3>& cache) {
      return NdView<const float, 2>(cache.sub(head / group).data(), {n_keys, head_dim});
    };

    const NdArray<float, 2> old_scores = visible_scores(scores.sub(head), first, {count, n_keys});
    NdArray<float, 2> new_scores({count, n_keys});
    score_rows(caches.query.sub(head), keys_of(caches.key), block, caches.window,
               new_scores.view());
    NdArray<float, 2> old_output({count, head_dim}), new_output({count, head_dim});
    matmul_nn(old_scores.view(), keys_of(caches.value), old_output.view());
    matmul_nn(new_scores.view(), keys_of(caches.new_value), new_output.view());

    const auto n_prefix = static_cast<std::size_t>(std::min(caches.prefix, n_keys));
    for (std::int64_t i = 0; i < count; ++i) {
      const std::span<const float> s = old_scores.sub(i).span(), t = new_scores.sub(i).span();
      const double inside = squared_distance(t.first(n_prefix), s.first(n_prefix));
      const double behind = squared_distance(t.subspan(n_prefix), s.subspan(n_prefix));
      const double output = squared_distance(new_output.sub(i).span(), old_output.sub(i).span());
      errors.prefix_attention(head, first + i) = inside;
      errors.attention(head, first + i) = inside + behind;
      errors.output(head, first + i) = output / static_cast<double>(head_dim);
    }
  });
  return errors;
}

}  // namespace qaq
