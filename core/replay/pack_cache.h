#pragma once

#include "core/base/progress.h"
#include "core/quant/packed_cache.h"
#include "core/replay/cache_replay.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// Packs the prefix of one cache of a capture as its plan says, layer by layer. What unpacking
/// gives is what quantized_layer() gives of the prefix. Throws Error{interrupted} when stopped.
PackedCache pack_cache(const CaptureView& capture, const PlannedCache& cache, const Work& work);

}  // namespace qaq
