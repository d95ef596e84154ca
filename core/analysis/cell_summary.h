#pragma once

#include <cstdint>
#include <optional>

#include "core/replay/explain.h"

namespace qaq {

/// Everything that an inspector says about one cell: its explanation, and what follows from it.
struct CellSummary {
  CellExplanation explanation;

  // Of the unit and the cell's codes; nothing where the cell is left exact.
  std::optional<double> mid_range;  ///< of the unit's inliers: (min + max) / 2
  /// Standard deviation that the unit's errors may have: variant reference allows errors up to
  /// max_error, which are max_error / sqrt(3) where they are even. Nothing where bits are fixed.
  std::optional<double> sigma_bound;
  /// Share of the cell's quantized values that lie further from what their code stands for than
  /// half a step: beyond the ends of the grid. Nothing for method normal, which has no grid, and
  /// where all values were kept exactly.
  std::optional<double> clip_share;

  // What the KV head sees of its query heads' attention to the token, by gqa_reduce; nothing where
  // the capture lacks such rows.
  std::optional<float> window_max;  ///< over the last n rows of the prefix, as importance is
  std::optional<float> later_max;   ///< over the captured rows behind the prefix
  std::int64_t later_step = 0;      ///< position of the row where that is
};

/// `explanation` is of a cell of `capture`; `reduce` is what it was explained with. Throws what
/// reading the capture throws.
CellSummary summarize_cell(const CaptureView& capture, GqaReduce reduce,
                           CellExplanation explanation, const Work& work = {});

}  // namespace qaq
