// Grid-stride, 16 bytes a thread and step. Two numbers are read and one written: 12 bytes a number
// against about 20 instructions, so the memory's rate is the floor.
#include <algorithm>

#include "gpu/cuda/kernels/activate.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMaxBlocks = 8192;  // several waves on the largest GPUs

__device__ float silu_product(float gate, float up) { return gate / (1.0f + expf(-gate)) * up; }

// resources: registers 32, shared 0, threads 256
template <bool kAligned>
__global__ void __launch_bounds__(kThreads)
    silu_times_quads(float* gate, const float* up, std::int64_t n) {
  const std::int64_t stride = 4 * static_cast<std::int64_t>(gridDim.x) * kThreads;
  const std::int64_t thread = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  for (std::int64_t i = 4 * thread; i < n; i += stride) {
    const float4 g = load_quad<kAligned>(gate, i, n);
    const float4 u = load_quad<kAligned>(up, i, n);
    store_quad<kAligned>(gate, i, n,
                         make_float4(silu_product(g.x, u.x), silu_product(g.y, u.y),
                                     silu_product(g.z, u.z), silu_product(g.w, u.w)));
  }
}

}  // namespace

cudaError_t silu_times(float* gate, const float* up, std::int64_t n, cudaStream_t stream) {
  if (n == 0) return cudaSuccess;
  const std::int64_t n_blocks = std::min(kMaxBlocks, (n + 4 * kThreads - 1) / (4 * kThreads));
  const auto kernel =
      in_whole_quads(n, {gate, up}) ? silu_times_quads<true> : silu_times_quads<false>;
  return launch(kernel, static_cast<unsigned>(n_blocks), kThreads, 0, stream, gate, up, n);
}

}  // namespace qaq::cuda
