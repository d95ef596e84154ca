// Rows of floats read and written four at a time. Where a row's length or address does not allow
// 16-byte accesses the same four numbers move one by one, so that the order of sums is the same.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "gpu/cuda/portable.h"

// Before a loop whose arrays must lie in registers.
#ifdef __CUDACC__
#define QAQ_UNROLL _Pragma("unroll")
#else
#define QAQ_UNROLL
#endif

namespace qaq::cuda {

/// Whether rows of n_cols floats that begin at these addresses can be read in 16-byte pieces.
inline bool in_whole_quads(std::int64_t n_cols, std::initializer_list<const void*> rows) {
  if (n_cols % 4 != 0) return false;
  for (const void* row : rows) {
    if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) return false;
  }
  return true;
}

/// Numbers [first, first + 4) of a row of n_cols, zero behind its end. `first` is a multiple of 4.
template <bool kAligned>
__device__ inline float4 load_quad(const float* row, std::int64_t first, std::int64_t n_cols) {
  float4 quad = make_float4(0, 0, 0, 0);
  if constexpr (kAligned) {
    if (first < n_cols) quad = *reinterpret_cast<const float4*>(row + first);
  } else {
    if (first < n_cols) quad.x = row[first];
    if (first + 1 < n_cols) quad.y = row[first + 1];
    if (first + 2 < n_cols) quad.z = row[first + 2];
    if (first + 3 < n_cols) quad.w = row[first + 3];
  }
  return quad;
}

/// The reverse; what lies behind the row's end is not touched.
template <bool kAligned>
__device__ inline void store_quad(float* row, std::int64_t first, std::int64_t n_cols,
                                  const float4& quad) {
  if constexpr (kAligned) {
    if (first < n_cols) *reinterpret_cast<float4*>(row + first) = quad;
  } else {
    if (first < n_cols) row[first] = quad.x;
    if (first + 1 < n_cols) row[first + 1] = quad.y;
    if (first + 2 < n_cols) row[first + 2] = quad.z;
    if (first + 3 < n_cols) row[first + 3] = quad.w;
  }
}

/// sum + a . b, in order.
__device__ inline float add_products(const float4& a, const float4& b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

}  // namespace qaq::cuda
