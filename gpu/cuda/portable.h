// What every kernel file includes: the one place where nvcc and the host's SIMT shim differ.
#pragma once

#include <cstddef>
#include <cstring>
#include <cuda_runtime.h>
#include <type_traits>

namespace qaq::cuda {

// A kernel keeps its shared memory in one struct of its own, so that the whole of it is named and
// sized in one place; the shim fills it with NaN before each block.
#ifdef __CUDACC__
template <class T>
__device__ T& block_shared() {
  __shared__ __align__(16) unsigned char raw[sizeof(T)];
  return reinterpret_cast<T&>(raw);
}
/// As long as the launch asked for.
template <class T>
__device__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char dynamic_raw[];
  return reinterpret_cast<T*>(dynamic_raw);
}
#else
template <class T>
T& block_shared(simt::Site site = simt::Site::current()) {
  return *static_cast<T*>(simt::static_shared(sizeof(T), site));
}
template <class T>
T* dynamic_shared(simt::Site site = simt::Site::current()) {
  return static_cast<T*>(simt::dynamic_shared(site));
}
#endif

/// Queues a kernel. Kernels are launched by this alone: g++ knows no other way.
template <class... Params, class... Args>
cudaError_t launch(void (*kernel)(Params...), dim3 grid, dim3 block, std::size_t shared,
                   cudaStream_t stream, Args... args) {
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel, static_cast<Params>(args)...);
}

}  // namespace qaq::cuda
