#include "data/capture/attention_rows.h"

#include <algorithm>
#include <numeric>

namespace qaq {
namespace {

constexpr std::int64_t kMostPadded = std::int64_t{4} << 20;  ///< numbers copied for one write

}  // namespace

std::int64_t AttentionRows::slot(std::int64_t position) const {
  return rows_.plan().grows ? position % n_kept() : position - (n_columns() - n_kept());
}

void AttentionRows::put(std::int64_t layer_index, const TapBlock& block) {
  const std::int64_t end = block.first_row + block.n_rows;
  // Rows that the rest of this block, or the final length, already pushes out.
  const std::int64_t length = rows_.plan().grows ? end : n_columns();
  std::int64_t position = std::max(block.first_row, length - n_kept());
  while (position < end) {
    const std::int64_t n = std::min(end - position, n_kept() - slot(position));
    write_rows(layer_index, block, position, n);
    position += n;
  }
}

void AttentionRows::write_rows(std::int64_t layer_index, const TapBlock& block,
                               std::int64_t first_position, std::int64_t n_rows) {
  const std::span<const float> scores = block.floats();
  // Of known length, rows are written whole, zeros included: one run of bytes a head.
  const std::int64_t n_cols = rows_.plan().grows ? block.n_cols : n_columns();
  RowBlock out{.layer_index = layer_index,
               .first_head = block.first_head,
               .n_heads = block.n_heads,
               .first_row = slot(first_position),
               .n_rows = n_rows,
               .n_cols = n_cols,
               .values = scores};
  if (n_cols == block.n_cols && n_rows == block.n_rows) {
    rows_.write(out);
    return;
  }
  const std::int64_t skipped = first_position - block.first_row;
  const std::int64_t head_numbers = n_rows * n_cols;
  const std::int64_t n_together =
      std::clamp<std::int64_t>(kMostPadded / head_numbers, 1, block.n_heads);
  std::vector<float> padded;
  for (std::int64_t head = 0; head < block.n_heads; head += n_together) {
    out.first_head = block.first_head + head;
    out.n_heads = std::min(n_together, block.n_heads - head);
    padded.assign(static_cast<std::size_t>(out.n_heads * head_numbers), 0.0f);
    for (std::int64_t row = 0; row < out.n_heads * n_rows; ++row) {
      const std::int64_t from = (head + row / n_rows) * block.n_rows + skipped + row % n_rows;
      std::copy_n(scores.data() + from * block.n_cols, block.n_cols, padded.data() + row * n_cols);
    }
    out.values = padded;
    rows_.write(out);
  }
}

std::vector<std::int32_t> AttentionRows::query_tokens(std::int64_t n_tokens) const {
  const std::int64_t n_rows = std::min(n_kept(), n_tokens);
  std::vector<std::int32_t> positions(static_cast<std::size_t>(n_rows));
  std::iota(positions.begin(), positions.end(), static_cast<std::int32_t>(n_tokens - n_rows));
  return positions;
}

void AttentionRows::finish(std::int64_t n_tokens) {
  const bool in_order = n_tokens <= n_kept() || n_tokens % n_kept() == 0;
  if (!rows_.plan().grows || in_order) return;
  for (std::int64_t layer = 0; layer < rows_.plan().extents[0]; ++layer) {
    for (std::int64_t head = 0; head < rows_.plan().extents[1]; ++head) {
      unroll(layer, head, n_tokens);
    }
  }
}

void AttentionRows::unroll(std::int64_t layer_index, std::int64_t head, std::int64_t n_tokens) {
  RowBlock all{.layer_index = layer_index,
               .first_head = head,
               .n_heads = 1,
               .first_row = 0,
               .n_rows = n_kept(),
               .n_cols = n_tokens};
  std::vector<float> rows(static_cast<std::size_t>(n_kept() * n_tokens));
  rows_.read(all, rows);
  const std::int64_t oldest = n_tokens % n_kept();
  std::rotate(rows.begin(), rows.begin() + oldest * n_tokens, rows.end());
  all.values = rows;
  rows_.write(all);
}

}  // namespace qaq
