// lane_kernels.h in plain loops, for builds without Highway.
#include "core/quant/lane_kernels.h"

namespace qaq {

void quantize_lanes(const LaneGrids& grids, std::span<const float> in, float* out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    out[i] = decode(grids.grid(i), encode(grids.grid(i), in[i]));
  }
}

std::int64_t quantize_lanes(const LaneEnds& ends, const LaneCentroids& centroids,
                            std::span<const float> in, float* out) {
  std::int64_t kept = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    kept += ends.keeps(i, in[i]) ? 1 : 0;
    out[i] = quantize_lane(ends, centroids, i, in[i]);
  }
  return kept;
}

}  // namespace qaq
