// Rows of numbers read and written four at a time, float32 in between. Where a row's length or address does not allow
// 16-byte accesses the same four numbers move one by one, so that the order of sums is the same.
#pragma once

#include <cstdint>
#include <initializer_list>

#include "gpu/cuda/number.h"
#include "gpu/cuda/portable.h"

// Before a loop whose arrays must lie in registers.
#ifdef __CUDACC__
#define QAQ_UNROLL _Pragma("unroll")
#else
#define QAQ_UNROLL
#endif

namespace qaq::cuda {

/// Whether rows of n_cols numbers that begin at these addresses can be read four at a time.
inline bool in_whole_quads(std::int64_t n_cols, std::initializer_list<const void*> rows) {
  if (n_cols % 4 != 0) return false;
  for (const void* row : rows) {
    if (reinterpret_cast<std::uintptr_t>(row) % 16 != 0) return false;
  }
  return true;
}

/// Four numbers in one access of 16 bytes, or of 8.
template <class T>
struct alignas(4 * sizeof(T)) Four {
  T x, y, z, w;
};

/// Numbers [first, first + 4) of a row of n_cols, zero behind its end. `first` is a multiple of 4.
template <bool kAligned, class T>
__device__ inline float4 load_quad(const T* row, std::int64_t first, std::int64_t n_cols) {
  float4 quad = make_float4(0, 0, 0, 0);
  if constexpr (kAligned && std::is_same_v<T, float>) {
    if (first < n_cols) quad = *reinterpret_cast<const float4*>(row + first);
  } else if constexpr (kAligned) {
    if (first < n_cols) {
      const Four<T> four = *reinterpret_cast<const Four<T>*>(row + first);
      quad = make_float4(to_float(four.x), to_float(four.y), to_float(four.z), to_float(four.w));
    }
  } else {
    if (first < n_cols) quad.x = to_float(row[first]);
    if (first + 1 < n_cols) quad.y = to_float(row[first + 1]);
    if (first + 2 < n_cols) quad.z = to_float(row[first + 2]);
    if (first + 3 < n_cols) quad.w = to_float(row[first + 3]);
  }
  return quad;
}

/// The reverse; what lies behind the row's end is not touched.
template <bool kAligned, class T>
__device__ inline void store_quad(T* row, std::int64_t first, std::int64_t n_cols,
                                  const float4& quad) {
  if constexpr (kAligned && std::is_same_v<T, float>) {
    if (first < n_cols) *reinterpret_cast<float4*>(row + first) = quad;
  } else if constexpr (kAligned) {
    if (first < n_cols) {
      *reinterpret_cast<Four<T>*>(row + first) = {from_float<T>(quad.x), from_float<T>(quad.y),
                                                  from_float<T>(quad.z), from_float<T>(quad.w)};
    }
  } else {
    if (first < n_cols) row[first] = from_float<T>(quad.x);
    if (first + 1 < n_cols) row[first + 1] = from_float<T>(quad.y);
    if (first + 2 < n_cols) row[first + 2] = from_float<T>(quad.z);
    if (first + 3 < n_cols) row[first + 3] = from_float<T>(quad.w);
  }
}

/// sum + a . b, in order.
__device__ inline float add_products(const float4& a, const float4& b, float sum) {
  return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

}  // namespace qaq::cuda
