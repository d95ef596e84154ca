#pragma once

#include <optional>
#include <vector>

#include "core/analysis/heatmap.h"
#include "core/analysis/table.h"
#include "core/analysis/violations.h"
#include "core/base/progress.h"
#include "core/policy/qaq_params.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// Results as rows, for `qaq export`. `layer` is the model's layer, whichever were captured. One
/// row a (cache, layer, kv_head, token), keys first, unless said otherwise. A table keeps what it
/// is of; `info` is copied from.

/// Of which cells there are rows: those of one cache, layer index and KV head; without one, of all.
struct TableHead {
  CacheSide side = CacheSide::key;
  std::int64_t layer = 0;
  std::int64_t kv_head = 0;
};

/// `bits`: of the unit that holds the row; dtype_bits behind the prefix, where it is left exact.
Table bits_table(const SharedReplay& result, const CaptureInfo& info,
                 const std::optional<TableHead>& only = {});
/// `outliers`: how many values were kept exactly; `channels`: which, with spaces between them.
Table outliers_table(const SharedReplay& result, const CaptureInfo& info,
                     const std::optional<TableHead>& only = {});
/// `squared_error`: mean over channels of (x' - x)^2.
Table errors_table(const SharedReplay& result, const CaptureInfo& info);
/// One row a (layer, query head, replayed row), which is the one of position `step`:
/// `attention_error`, the sum over keys of (S' - S)^2, and `output_error`, the mean over channels
/// of (X' - X)^2. Throws Error{input} where the capture has no queries or no attention, so that the
/// result has no such errors.
Table score_errors_table(const SharedReplay& result, const CaptureInfo& info);
/// One row a violation: where, the score, the window's maximum, their ratio (nothing where the
/// maximum is 0), and the bits deficit, one a violation, of bits_deficits().
Table violations_table(ViolationReport report, std::vector<std::optional<int>> deficits,
                       const CaptureInfo& info);
/// One row a (layer, kv_head, token) of the prefix: the importance that the bits of values follow
/// from, the maximum over the last `n_rows` rows before position `prefix` of the attention that a
/// KV head sees. Throws Error{input} where the capture lacks these rows.
struct ImportanceWindow {
  std::int64_t prefix = 0;  ///< 1 .. T
  std::int64_t n_rows = 1;
  GqaReduce reduce = GqaReduce::max;
};
Table importance_table(const CaptureView& capture, const ImportanceWindow& window,
                       const Work& work = {});
/// One row a (step, token) of an attention map of one model `layer` and KV head: `attention`,
/// nothing where the row was not captured. Steps come in order, tokens up to the step.
Table attention_table(SharedHeatmap attention, std::int64_t layer, std::int64_t kv_head);

}  // namespace qaq
