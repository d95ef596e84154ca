// The words that only a GPU's compiler knows. The toolkit's headers define some of them as
// attributes that g++ does not have, so they are replaced after those headers.
#pragma once

#include <cuda_runtime_api.h>

#undef __global__
#undef __device__
#undef __host__
#undef __constant__
#undef __shared__
#undef __launch_bounds__
#undef __grid_constant__
#undef __align__
#undef __forceinline__
#undef __noinline__

#define __global__
#define __device__
#define __host__
#define __constant__ static const
// block_shared<T>() is fresh for each block, full of NaN and has ends that are watched; a static
// array would have none of it.
#define __shared__ use_block_shared_or_dynamic_shared_instead
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(n) alignas(n)
#define __forceinline__ inline __attribute__((always_inline))
// Not __noinline__: the standard library's headers spell that attribute so.
