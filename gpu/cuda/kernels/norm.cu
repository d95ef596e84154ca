// A block of 256 a row. A thread sums the squares of quads t, t + 256, ... in float64 (exact
// products); a warp folds by shuffles, one thread folds the warps in order. Bytes: 8 a number from
// memory, or 6 (the second read of a row finds it in the cache), which is the floor.
#include "gpu/cuda/kernels/norm.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;

struct Shared {
  double warp_sums[kWarps];
  float factor;
};

__device__ double square(float x) { return static_cast<double>(x) * static_cast<double>(x); }

// resources: registers 32, shared 72, threads 256, blocks 8
template <class T, bool kAligned>
__global__ void __launch_bounds__(kThreads) rms_norm_rows(NormCall call) {
  Shared& s = block_shared<Shared>();
  const float* in = call.in + blockIdx.x * call.n_cols;
  T* out = static_cast<T*>(call.out) + blockIdx.x * call.n_cols;
  const std::int64_t first = 4 * static_cast<std::int64_t>(threadIdx.x);

  double sum = 0;
  for (std::int64_t c = first; c < call.n_cols; c += 4 * kThreads) {
    const float4 x = load_quad<kAligned>(in, c, call.n_cols);
    sum += (square(x.x) + square(x.y)) + (square(x.z) + square(x.w));
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(~0u, sum, distance);
  }
  if (threadIdx.x % 32 == 0) s.warp_sums[threadIdx.x / 32] = sum;
  __syncthreads();
  // One thread: a float64 root and quotient in each of 256 would take longer than the row.
  if (threadIdx.x == 0) {
    double total = 0;
    for (const double warp_sum : s.warp_sums) total += warp_sum;
    const double mean = total / static_cast<double>(call.n_cols);
    s.factor = static_cast<float>(1.0 / sqrt(mean + static_cast<double>(call.epsilon)));
  }
  __syncthreads();

  // A thread writes only what it alone reads from here on, so `out` may be `in`.
  const float factor = s.factor;
  for (std::int64_t c = first; c < call.n_cols; c += 4 * kThreads) {
    float4 x = load_quad<kAligned>(in, c, call.n_cols);
    const float4 w = load_quad<kAligned>(call.weight, c, call.n_cols);
    x = make_float4(x.x * factor * w.x, x.y * factor * w.y, x.z * factor * w.z, x.w * factor * w.w);
    store_quad<kAligned>(out, c, call.n_cols, x);
  }
}

}  // namespace

cudaError_t rms_norm(const NormCall& call, cudaStream_t stream) {
  if (call.n_rows == 0 || call.n_cols == 0) return cudaSuccess;
  return with_type(call.dtype, [&]<class T>(TypeOf<T>) {
    const auto kernel = in_whole_quads(call.n_cols, {call.in, call.weight, call.out})
                            ? rms_norm_rows<T, true>
                            : rms_norm_rows<T, false>;
    return launch(kernel, static_cast<unsigned>(call.n_rows), kThreads, 0, stream, call);
  });
}

}  // namespace qaq::cuda
