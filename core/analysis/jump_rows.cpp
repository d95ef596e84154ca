#include "core/analysis/jump_rows.h"

#include <algorithm>
#include <vector>

#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

/// The maxima of every n successive rows, column by column, in one pass (van Herk): rows are cut
/// into blocks of n; a window is the end of one block and the beginning of the next.
class WindowMaximum {
 public:
  WindowMaximum(const NdView<const float, 2>& rows, std::int64_t n)
      : rows_(rows), n_(n), tails_({n, rows.shape(1)}), head_({rows.shape(1)}) {}

  /// Maximum of rows i - n .. i - 1 into `out`; i runs from n upwards by 1.
  void before(std::int64_t i, std::span<float> out) {
    const std::int64_t first = i - n_, in_block = first % n_;
    if (in_block == 0) {
      take_tails(first);
      std::copy(tails_.sub(0).span().begin(), tails_.sub(0).span().end(), out.begin());
      std::fill(head_.span().begin(), head_.span().end(), 0.0f);
      return;
    }
    raise(head_.span(), rows_.sub(i - 1).span());
    const auto tail = tails_.sub(in_block).span();
    for (std::size_t t = 0; t < out.size(); ++t) out[t] = std::max(tail[t], head_.span()[t]);
  }

 private:
  static void raise(std::span<float> to, std::span<const float> by) {
    for (std::size_t t = 0; t < to.size(); ++t) to[t] = std::max(to[t], by[t]);
  }
  // tails_[k]: maximum of rows first + k .. first + n - 1.
  void take_tails(std::int64_t first) {
    for (std::int64_t k = n_ - 1; k >= 0; --k) {
      const auto row = rows_.sub(first + k).span();
      std::copy(row.begin(), row.end(), tails_.sub(k).data());
      if (k + 1 < n_) raise(tails_.sub(k).span(), tails_.sub(k + 1).span());
    }
  }

  NdView<const float, 2> rows_;
  std::int64_t n_;
  NdArray<float, 2> tails_;
  NdArray<float, 1> head_;  // maximum of the rows of the next block so far
};

// Rows that a capture stores next to each other, [first, last) in info.query_token.
struct RowRun {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

std::vector<RowRun> consecutive_runs(const std::vector<std::int32_t>& positions) {
  std::vector<RowRun> runs;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    if (i == 0 || positions[i] != positions[i - 1] + 1) runs.push_back({row, row});
    runs.back().last = row + 1;
  }
  return runs;
}

}  // namespace

void for_each_jump_row(NdView<const float, 2> scores, std::int64_t first_position, std::int64_t n,
                       const JumpRowSink& sink) {
  const std::int64_t n_rows = scores.shape(0);
  if (n < 1 || n_rows <= n) return;
  WindowMaximum window(scores, n);
  std::vector<float> window_max(static_cast<std::size_t>(scores.shape(1)));
  for (std::int64_t i = n; i < n_rows; ++i) {
    window.before(i, window_max);
    const std::int64_t step = first_position + i;
    const auto n_tokens = static_cast<std::size_t>(step - n + 1);
    sink({step, scores.sub(i).span().first(n_tokens), std::span(window_max).first(n_tokens)});
  }
}

void for_each_score_block(const CaptureView& capture, std::int64_t layer_index, std::int64_t n,
                          const ScoreBlockSink& sink, const Work& work) {
  const CaptureInfo& info = capture.info();
  const std::int64_t block = rows_at_a_time(info);
  for (const RowRun& run : consecutive_runs(info.query_token)) {
    for (std::int64_t row = run.first + n; row < run.last; row += block) {
      work.throw_if_stopped();
      const std::int64_t first = row - n, last = std::min(run.last, row + block);
      const auto scores = capture.attention(layer_index, first, last - first);
      sink(scores->view(), info.query_token[static_cast<std::size_t>(first)]);
    }
  }
}

}  // namespace qaq
