#include "data/capture/attention_rows.h"

#include <algorithm>
#include <numeric>

namespace qaq {

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
  out.n_heads = 1;  // one head at a time bounds the copy
  std::vector<float> padded(static_cast<std::size_t>(n_rows * n_cols), 0.0f);
  for (std::int64_t head = 0; head < block.n_heads; ++head) {
    const std::int64_t skipped = first_position - block.first_row;
    const float* from = scores.data() + (head * block.n_rows + skipped) * block.n_cols;
    for (std::int64_t row = 0; row < n_rows; ++row) {
      std::copy_n(from + row * block.n_cols, block.n_cols, padded.data() + row * n_cols);
    }
    out.first_head = block.first_head + head;
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
