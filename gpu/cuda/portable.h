// What every kernel file includes: the one place where nvcc and the host's SIMT shim differ.
#pragma once

#include <cstddef>
#include <cstring>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
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

// Instructions that C++ has no words for. Of a word that holds two 16-bit numbers the lower half is
// the first. The warp calls them together.
//
// multiply_add: d += A B on the tensor cores, m16n8k16, float32 sums; Half is __half or
// __nv_bfloat16. With g = lane / 4 and t = lane % 4 a lane has
//   a[0], a[1]   A(g, 2 t ..), A(g + 8, 2 t ..)         d[0], d[1]   D(g, 2 t), D(g, 2 t + 1)
//   a[2], a[3]   A(g, 2 t + 8 ..), A(g + 8, 2 t + 8 ..)  d[2], d[3]   D(g + 8, 2 t), D(g + 8, 2 t + 1)
//   b[0], b[1]   B(2 t .., g), B(2 t + 8 .., g)
//
// load_matrices: four 8 x 8 matrices of 16-bit numbers from shared memory. Lane 8 m + r points to
// row r of matrix m, 16 bytes at a multiple of 16; to[m] becomes (g, 2 t ..) of matrix m, or with
// kTransposed (2 t .., g).
//
// copy_async: 16 bytes, both ends at multiples of 16, from global to shared memory (null: zeros),
// there for the calling thread after wait_copies<n> and for the block after a barrier behind it;
// wait_copies<n> waits for all that was committed but the newest n groups.
#ifdef __CUDACC__
template <class Half>
__device__ inline void multiply_add(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
  if constexpr (std::is_same_v<Half, __half>) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
        "{%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  } else {
    static_assert(std::is_same_v<Half, __nv_bfloat16>);
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, "
        "{%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
  }
}

template <bool kTransposed>
__device__ inline void load_matrices(unsigned (&to)[4], const void* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  if constexpr (kTransposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address)
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(address)
                 : "memory");
  }
}

__device__ inline void copy_async(void* to_shared, const void* from) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(to_shared));
  const unsigned n_bytes = from ? 16 : 0;  // what is not copied becomes zero
  // Never read, but an address all the same.
  const auto source = __cvta_generic_to_global(from);
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(source),
               "r"(n_bytes)
               : "memory");
}
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kLater>
__device__ inline void wait_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kLater) : "memory");
}
#else
template <class Half>
void multiply_add(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
                  simt::Site site = simt::Site::current()) {
  simt::mma_m16n8k16<Half>(d, a, b, site);
}
template <bool kTransposed>
void load_matrices(unsigned (&to)[4], const void* row, simt::Site site = simt::Site::current()) {
  simt::load_matrices<kTransposed>(to, row, site);
}
inline void copy_async(void* to_shared, const void* from,
                       simt::Site site = simt::Site::current()) {
  simt::queue_copy(to_shared, from, site);
}
inline void commit_copies() { simt::commit_copies(); }
template <int kLater>
void wait_copies() {
  simt::wait_copies(kLater);
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
