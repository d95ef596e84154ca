#pragma once

#include <cstdint>
#include <span>

#include "core/policy/qaq_params.h"
#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// One cache of a capture with what was decided for it. The plan is of the first
/// plan.layout.shape().n_tokens tokens.
struct PlannedCache {
  CacheSide side = CacheSide::key;
  Plan plan;
  std::span<const UnitStats> stats;  ///< empty where the plan keeps all
};

/// Both caches of a capture with what was decided for them.
struct PlannedCaches {
  PlannedCache key;
  PlannedCache value;
  std::int64_t sparse_top_k = 0;  ///< keys that a query attends to; 0: all (see QaqParams)
};

/// "key" or "value".
const char* name_of(CacheSide side);

/// Keys or values of a captured layer, (n_kv_heads, T, D), as captured.
SharedArray<float, 3> exact_layer(const CaptureView& capture, CacheSide side,
                                  std::int64_t layer_index);

/// The same layer with its prefix quantized and the rest as captured.
SharedArray<float, 3> quantized_layer(const CaptureView& capture, const PlannedCache& cache,
                                      std::int64_t layer_index);

/// Bits and sizes, which follow from the plan alone: nothing is quantized, so `outliers` and
/// `error` are empty and quantization_error is 0. `dtype_bits` as in QaqParams.
CacheReplay planned_replay(const CaptureInfo& info, const PlannedCache& cache, int dtype_bits);

}  // namespace qaq
