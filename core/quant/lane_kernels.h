#pragma once

#include <cstdint>
#include <span>

#include "core/quant/arith.h"

namespace qaq {

/// The inner loops of codecs in which neighbours in memory have their own steps, on the calling
/// thread, vectorized where Highway is there. Every machine gets the same bytes. `out` may be `in`.

/// Steps of values that lie side by side: UniformGrid{base, scale, 0, highest} of each.
struct LaneGrids {
  const float* base = nullptr;
  const float* scale = nullptr;
  const float* highest = nullptr;

  UniformGrid grid(std::size_t i) const {
    return {.base = base[i], .scale = scale[i], .highest = highest[i]};
  }
};
/// out = decode(encode(in)) of each value's steps.
void quantize_lanes(const LaneGrids& grids, std::span<const float> in, float* out);

/// Centroids: what each stands for, and the ascending middles between neighbours.
struct LaneCentroids {
  std::span<const float> stands_for;
  std::span<const float> middles;  ///< one less
};
/// Where values that lie side by side lie: quantized between lower and upper, kept as they are
/// below `below` and above `above`.
struct LaneEnds {
  const float* lower = nullptr;
  const float* upper = nullptr;
  const float* below = nullptr;
  const float* above = nullptr;

  bool keeps(std::size_t i, float x) const { return (x < below[i]) | (x > above[i]); }
  LaneEnds from(std::size_t i) const { return {lower + i, upper + i, below + i, above + i}; }
};
/// out = what the nearest centroid of z = (x - (upper + lower)/2) / ((upper - lower)/2) stands for,
/// the lower of two as near, stretched and moved back; `lower` where there is no spread. Returns
/// how many values are kept as they are.
std::int64_t quantize_lanes(const LaneEnds& ends, const LaneCentroids& centroids,
                            std::span<const float> in, float* out);

/// One value of it.
inline float quantize_lane(const LaneEnds& ends, const LaneCentroids& centroids, std::size_t i,
                           float x) {
  if (ends.keeps(i, x)) return x;
  const float middle = (ends.upper[i] + ends.lower[i]) / 2;
  const float radius = (ends.upper[i] - ends.lower[i]) / 2;
  if (!(radius > 0)) return ends.lower[i];
  const float z = (x - middle) / radius;
  std::size_t code = 0;
  for (const float edge : centroids.middles) code += z > edge ? 1 : 0;
  return centroids.stands_for[code] * radius + middle;
}

}  // namespace qaq
