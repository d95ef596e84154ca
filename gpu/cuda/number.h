// Number types of kernels that are written once for float, __half and __nv_bfloat16.
#pragma once

#include <type_traits>

#include "core/tensor/dtype.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {

__device__ inline float to_float(float x) { return x; }
__device__ inline float to_float(__half x) { return __half2float(x); }
__device__ inline float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

/// Rounded to nearest, ties to even.
template <class T>
__device__ inline T from_float(float x) {
  if constexpr (std::is_same_v<T, __half>) {
    return __float2half_rn(x);
  } else if constexpr (std::is_same_v<T, __nv_bfloat16>) {
    return __float2bfloat16_rn(x);
  } else {
    static_assert(std::is_same_v<T, float>);
    return x;
  }
}

/// Names a type as an argument.
template <class T>
struct TypeOf {
  using type = T;
};

/// body(TypeOf<T>{}) for the type that `dtype` names.
template <class Body>
cudaError_t with_type(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::f32:
      return body(TypeOf<float>{});
    case DType::f16:
      return body(TypeOf<__half>{});
    case DType::bf16:
      return body(TypeOf<__nv_bfloat16>{});
  }
  return cudaErrorInvalidValue;
}

}  // namespace qaq::cuda
