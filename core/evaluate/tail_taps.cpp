#include "core/evaluate/tail_taps.h"

#include <algorithm>

#include "core/base/parallel.h"
#include "core/evaluate/time_in.h"
#include "core/tensor/vector_math.h"

namespace qaq {

ReferenceRows::ReferenceRows(const ModelShape& shape, const Rows& rows)
    : rows_(rows), logits_({rows.n_rows, shape.vocab_size}) {
  if (!rows.with_attention) return;
  attention_ = NdArray<float, 4>({shape.n_layers, shape.n_heads, rows.n_rows, rows.n_prefix});
}

std::int64_t ReferenceRows::bytes_per_row(const ModelShape& shape, const Rows& rows) {
  const std::int64_t scores =
      rows.with_attention ? shape.n_layers * shape.n_heads * rows.n_prefix : 0;
  return 4 * (shape.vocab_size + scores);
}

bool ReferenceRows::wants(TapKind what, std::int64_t, std::int64_t, std::int64_t) const {
  return what == TapKind::logits || (what == TapKind::attention && rows_.with_attention);
}

void ReferenceRows::put(const TapBlock& block) {
  const TimeIn time(seconds_);
  const auto numbers = block.floats();
  const bool logits = block.what == TapKind::logits;
  const std::int64_t n_kept = logits ? block.n_cols : rows_.n_prefix;
  for (std::int64_t head = 0; head < block.n_heads; ++head) {
    for (std::int64_t row = 0; row < block.n_rows; ++row) {
      const std::int64_t at = block.first_row + row - rows_.first_row;
      float* to = logits ? logits_.sub(at).data()
                         : attention_.sub(block.layer, block.first_head + head, at).data();
      std::copy_n(numbers.data() + (head * block.n_rows + row) * block.n_cols, n_kept, to);
    }
  }
}

void ComparingTaps::put(const TapBlock& block) {
  const TimeIn time(seconds_);
  if (block.what == TapKind::logits) {
    compare_logits_of(block);
  } else {
    compare_attention_of(block);
  }
}

void ComparingTaps::compare_logits_of(const TapBlock& block) {
  const std::size_t done = scores_.positions.size();
  scores_.positions.resize(done + static_cast<std::size_t>(block.n_rows));
  parallel_for(block.n_rows, [&](std::int64_t row) {
    const std::int64_t position = block.first_row + row;
    const auto ours = block.floats().subspan(static_cast<std::size_t>(row * block.n_cols),
                                             static_cast<std::size_t>(block.n_cols));
    scores_.positions[done + static_cast<std::size_t>(row)] =
        compare_logits(reference_.logits(position), ours,
                       next_[static_cast<std::size_t>(position - reference_.rows().first_row)]);
  });
}

void ComparingTaps::compare_attention_of(const TapBlock& block) {
  const std::int64_t n_prefix = reference_.rows().n_prefix, n = block.n_heads * block.n_rows;
  std::vector<double> squares(static_cast<std::size_t>(n));
  parallel_for(block.n_heads, [&](std::int64_t head) {
    for (std::int64_t row = 0; row < block.n_rows; ++row) {
      const auto i = static_cast<std::size_t>(head * block.n_rows + row);
      const auto ours = block.floats().subspan(i * static_cast<std::size_t>(block.n_cols),
                                               static_cast<std::size_t>(n_prefix));
      squares[i] = squared_distance(
          ours, reference_.attention(block.layer, block.first_head + head, block.first_row + row));
    }
  });
  for (const double s : squares) scores_.attention_squares += s;
  scores_.n_attention += n * n_prefix;
}

}  // namespace qaq
