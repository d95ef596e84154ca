#pragma once

#include "core/base/progress.h"
#include "core/replay/cache_replay.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// Measures what both quantized caches do to scores and outputs: fills in_sample and, where the
/// capture has queries and scores, attention_error, output_error and their means. Replayed are the
/// captured rows s >= result.prefix, or all where there is none (section 4.3 of the mathematics).
/// Works in blocks of rows, so that long captures need no more memory than short ones.
void replay_attention(const CaptureView& capture, const PlannedCache& key,
                      const PlannedCache& value, const Work& work, ReplayResult& result);

}  // namespace qaq
