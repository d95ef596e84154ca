// A warp a vector of head_dim: the query heads of a row, then its keys, then its values. A lane
// turns pairs lane, lane + 32, ...; with a norm the warp first sums squares in float64, by lanes
// and then by shuffles. Bytes: every number is read once and written once, 8 bytes, which is the
// floor, or 6; cosines and sines of a row come from the cache for all its heads.
#include "gpu/cuda/kernels/rotate_append.h"
#include "gpu/cuda/number.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;

// One vector of head_dim and where it goes.
template <class T>
struct Vector {
  const float* from = nullptr;
  const float* norm = nullptr;  // or null
  T* to = nullptr;
  bool rotated = false;
};

template <class T>
__device__ Vector<T> find_vector(const RotateCall& call, std::int64_t row, std::int64_t head) {
  const std::int64_t d = call.head_dim;
  if (head < call.n_heads) {
    return {call.query + (row * call.n_heads + head) * d, call.query_norm,
            static_cast<T*>(call.query_heads) + (head * call.query_stride + row) * d, true};
  }
  head -= call.n_heads;
  const bool is_key = head < call.n_kv_heads;
  if (!is_key) head -= call.n_kv_heads;
  const std::int64_t from = (row * call.n_kv_heads + head) * d;
  const std::int64_t cache_row = call.position ? *call.position + row : row;
  const std::int64_t to = (head * call.cache_stride + cache_row) * d;
  if (is_key) {
    return {call.key + from, call.key_norm, static_cast<T*>(call.key_cache) + to, true};
  }
  return {call.value + from, nullptr, static_cast<T*>(call.value_cache) + to, false};
}

// What a vector is multiplied by before its norm's weights. Whole warps only.
__device__ float norm_factor(const float* from, std::int64_t n, float epsilon) {
  double sum = 0;
  for (std::int64_t c = threadIdx.x % 32; c < n; c += 32) {
    sum += static_cast<double>(from[c]) * static_cast<double>(from[c]);
  }
  for (int distance = 16; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(~0u, sum, distance);
  }
  const double mean = sum / static_cast<double>(n);
  return static_cast<float>(1.0 / sqrt(mean + static_cast<double>(epsilon)));
}

// resources: registers 40, shared 0, threads 128, blocks 12
template <class T>
__global__ void __launch_bounds__(kThreads) rotate_append_vectors(RotateCall call) {
  const std::int64_t n_vectors = call.n_heads + 2 * call.n_kv_heads;
  const std::int64_t warp = static_cast<std::int64_t>(blockIdx.x) * kWarps + threadIdx.x / 32;
  const std::int64_t row = warp / n_vectors;
  if (row >= call.n_rows) return;  // a whole warp
  const Vector<T> v = find_vector<T>(call, row, warp % n_vectors);
  const std::int64_t lane = threadIdx.x % 32, n_pairs = v.rotated ? call.n_rotary / 2 : 0;
  const float factor = v.norm ? norm_factor(v.from, call.head_dim, call.epsilon) : 1.0f;

  const auto channel = [&](std::int64_t c) {
    return v.norm ? v.from[c] * factor * v.norm[c] : v.from[c];
  };
  for (std::int64_t pair = lane; pair < n_pairs; pair += 32) {
    const float cosine = call.cos[row * n_pairs + pair], sine = call.sin[row * n_pairs + pair];
    const float a = channel(pair), b = channel(pair + n_pairs);
    v.to[pair] = from_float<T>(fmaf(a, cosine, -(b * sine)));
    v.to[pair + n_pairs] = from_float<T>(fmaf(b, cosine, a * sine));
  }
  for (std::int64_t c = 2 * n_pairs + lane; c < call.head_dim; c += 32) {
    v.to[c] = from_float<T>(channel(c));
  }
}

}  // namespace

cudaError_t rotate_append(const RotateCall& call, cudaStream_t stream) {
  if (call.n_rotary % 2 != 0 || call.n_rotary > call.head_dim) return cudaErrorInvalidValue;
  const std::int64_t n_vectors = call.n_rows * (call.n_heads + 2 * call.n_kv_heads);
  if (n_vectors == 0) return cudaSuccess;
  const auto n_blocks = static_cast<unsigned>((n_vectors + kWarps - 1) / kWarps);
  return with_type(call.dtype, [&]<class T>(TypeOf<T>) {
    return launch(rotate_append_vectors<T>, n_blocks, kThreads, 0, stream, call);
  });
}

}  // namespace qaq::cuda
