#pragma once

#include "core/replay/cache_replay.h"
#include "core/replay/replay_result.h"
#include "core/tensor/dtype.h"

namespace qaq {

/// Everything of a cache's replay that follows from its plan alone: bits, sizes, outliers counted.
/// `dtype` is the capture's, `dtype_bits` as in QaqParams.
void fill_sizes(const PlannedCache& cache, DType dtype, int dtype_bits, CacheReplay& out);

/// The three compression ratios of a result whose caches have their sizes.
void set_ratios(const PlannedCache& key, const PlannedCache& value, ReplayResult& result);

}  // namespace qaq
