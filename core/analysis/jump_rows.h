#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "core/base/progress.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// A row of attention beside what the n rows before it held at most, token by token: what a jump of
/// importance is measured against. Only the tokens that all these rows could see, t < step - n + 1.
struct JumpRow {
  std::int64_t step = 0;              ///< position of the row
  std::span<const float> scores;      ///< S_step[t]
  std::span<const float> window_max;  ///< max of S_{step-n .. step-1}[t]
};
using JumpRowSink = std::function<void(const JumpRow&)>;

/// The rows of one query head that have n stored rows before them, in order. `scores` is
/// (n_rows, T); row i is position first_position + i, rows are consecutive.
void for_each_jump_row(NdView<const float, 2> scores, std::int64_t first_position, std::int64_t n,
                       const JumpRowSink& sink);

/// Rows of all query heads, (n_heads, n_rows, T), of which the first is position first_position.
using ScoreBlockSink =
    std::function<void(const NdView<const float, 3>& scores, std::int64_t first_position)>;

/// Reads the attention of a layer in blocks of consecutive rows, each with the n rows before it, so
/// that for_each_jump_row() meets every row of the layer that has such rows exactly once. Throws
/// Error{interrupted} when stopped.
void for_each_score_block(const CaptureView& capture, std::int64_t layer_index, std::int64_t n,
                          const ScoreBlockSink& sink, const Work& work = {});

}  // namespace qaq
