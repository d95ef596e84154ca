#pragma once

#include "core/base/progress.h"
#include "core/replay/replay_kernel.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// Carries both plans out on every layer and measures them: fills outliers and errors of a result
/// whose bits and sizes are there (planned_replay()), and where the scope has rows attention_error,
/// output_error and their means. `kernel` was opened with `scope`.
void measure_replay(const CaptureInfo& info, const ReplayScope& scope, const PlannedCaches& plans,
                    ReplayKernel& kernel, const Work& work, ReplayResult& result);

/// The rows that scores and outputs are compared in (section 4.3 of the mathematics): the captured
/// rows s >= prefix, or all where there is none; none where the capture has no queries or scores.
ReplayScope whole_scope(const CaptureInfo& info, std::int64_t prefix);

}  // namespace qaq
