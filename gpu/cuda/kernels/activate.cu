// Grid-stride, four numbers a thread and step. Two numbers are read and one written: 12 bytes, or
// 10, a number against about 20 instructions, so the memory's rate is the floor.
#include <algorithm>

#include "gpu/cuda/kernels/activate.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kMaxBlocks = 8192;  // several waves on the largest GPUs

__device__ float silu_product(float gate, float up) { return gate / (1.0f + expf(-gate)) * up; }

// resources: registers 40, shared 0, threads 256, blocks 6
template <class T, bool kAligned>
__global__ void __launch_bounds__(kThreads) silu_times_quads(ActivateCall call) {
  const std::int64_t stride = 4 * static_cast<std::int64_t>(gridDim.x) * kThreads;
  const std::int64_t thread = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  for (std::int64_t i = 4 * thread; i < call.n; i += stride) {
    const float4 g = load_quad<kAligned>(call.gate, i, call.n);
    const float4 u = load_quad<kAligned>(call.up, i, call.n);
    store_quad<kAligned>(static_cast<T*>(call.out), i, call.n,
                         make_float4(silu_product(g.x, u.x), silu_product(g.y, u.y),
                                     silu_product(g.z, u.z), silu_product(g.w, u.w)));
  }
}

}  // namespace

cudaError_t silu_times(const ActivateCall& call, cudaStream_t stream) {
  if (call.n == 0) return cudaSuccess;
  const std::int64_t n_blocks = std::min(kMaxBlocks, (call.n + 4 * kThreads - 1) / (4 * kThreads));
  return with_type(call.dtype, [&]<class T>(TypeOf<T>) {
    const auto kernel = in_whole_quads(call.n, {call.gate, call.up, call.out})
                            ? silu_times_quads<T, true>
                            : silu_times_quads<T, false>;
    return launch(kernel, static_cast<unsigned>(n_blocks), kThreads, 0, stream, call);
  });
}

}  // namespace qaq::cuda
