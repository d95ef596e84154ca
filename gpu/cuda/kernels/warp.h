// What the lanes of a warp make of a number of each; all call together. The order is the same
// always.
#pragma once

#include "gpu/cuda/portable.h"

namespace qaq::cuda {

/// The sum over the warp, to every lane.
template <class T>
__device__ inline T sum_of_warp(T x) {
  for (int distance = 16; distance > 0; distance /= 2) x += __shfl_xor_sync(~0u, x, distance);
  return x;
}

/// The largest of the warp, to every lane.
__device__ inline float largest_of_warp(float x) {
  for (int distance = 16; distance > 0; distance /= 2) {
    x = fmaxf(x, __shfl_xor_sync(~0u, x, distance));
  }
  return x;
}

/// The sum over the lanes up to the calling one.
__device__ inline int sum_up_to_lane(int x) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (int distance = 1; distance < 32; distance *= 2) {
    const int before = __shfl_up_sync(~0u, x, distance);
    if (lane >= distance) x += before;
  }
  return x;
}

}  // namespace qaq::cuda
