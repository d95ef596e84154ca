#pragma once

#include <cstdint>

#include "core/replay/cache_replay.h"
#include "core/replay/replay_result.h"
#include "core/tensor/dtype.h"

namespace qaq {

/// Of where a row of keys stands, in a cache that evicts.
inline constexpr std::int64_t kPositionBytes = 4;

/// Everything of a cache's replay that follows from its plan alone: bits, sizes, outliers counted.
/// `dtype` is the capture's, `dtype_bits` as in QaqParams.
void fill_sizes(const PlannedCache& cache, DType dtype, int dtype_bits, CacheReplay& out);

/// The three compression ratios of a result whose caches have their sizes.
void set_ratios(const PlannedCache& key, const PlannedCache& value, ReplayResult& result);

}  // namespace qaq
