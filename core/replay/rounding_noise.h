#pragma once

#include <cstdint>
#include <span>

#include "core/replay/cache_replay.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Which draw of which numbers.
struct NoiseDraw {
  std::uint64_t seed = 0;
  std::int64_t draw = 0;
  std::int64_t layer = 0;  ///< index among captured layers
  std::int64_t kv_head = 0;
};

/// Writes `exact` (n_tokens, D), the rows of one KV head, with the rounding errors that theory
/// assumes in place of those that quantizing makes: each inlier of the planned prefix errs by a
/// number from -step/2 to step/2, evenly distributed and independent of all others. Outliers and
/// tokens behind the prefix stay. `steps` (n_units) are the distances between codes. The same draw
/// gives the same numbers on every machine, however many of the rows are asked for.
void add_rounding_noise(const PlannedCache& cache, std::span<const float> steps,
                        const NoiseDraw& draw, const NdView<const float, 2>& exact,
                        const NdView<float, 2>& out);

}  // namespace qaq
