// A thread a (layer, KV head, token), tokens side by side; it walks the rows that are new to it.
// All float64 arithmetic is core's, operation by operation. Bytes of a row: 4 (G + n_ring + 1) a
// token and KV head for window_max, 4 G + 20 for the other rules; the floor.
#include "gpu/cuda/kernels/importance.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;

// What the query heads of a KV head make of one token in the row of position `s`.
__device__ float reduced(const ImportanceCall& call, std::int64_t position, std::int64_t kv_row,
                         std::int64_t s, std::int64_t token) {
  const std::int64_t group = call.n_heads / call.n_kv_heads;
  const std::int64_t slab =
      call.head_stride != 0 ? call.head_stride : triangle_size(position, call.n_rows);
  const float* score = call.scores + kv_row / call.n_kv_heads * call.score_stride +
                       kv_row % call.n_kv_heads * group * slab +
                       triangle_size(position, s - position) + token;
  float all = 0;
  for (std::int64_t head = 0; head < group; ++head, score += slab) {
    if (call.reduce == HeadReduce::max) {
      all = all < *score ? *score : all;
    } else {
      all += *score;
    }
  }
  if (call.reduce == HeadReduce::mean) all /= static_cast<float>(group);
  return all;
}

// The largest of the last n_ring rows. A row before the token's own has no place in its part of the
// ring, and none is read.
__device__ float window_max(const ImportanceCall& call, const ImportanceStep& step,
                            std::int64_t kv_row, std::int64_t token) {
  const std::int64_t last = step.position + call.n_rows - 1;
  const std::int64_t first = max(max(step.first_row, token), last - call.n_ring + 1);
  float* ring = call.ring + kv_row * call.n_ring * call.stride + token;
  std::int64_t place = first % call.n_ring;
  float largest = 0;
  for (std::int64_t s = first; s <= last; ++s) {
    float& kept = ring[place * call.stride];
    const bool fresh = s >= step.position;
    const float score = fresh ? reduced(call, step.position, kv_row, s, token) : kept;
    if (fresh) kept = score;
    largest = largest < score ? score : largest;
    place = place + 1 == call.n_ring ? 0 : place + 1;
  }
  return largest;
}

// What a token's importance becomes, of what it was.
__device__ double next(const ImportanceCall& call, double before, double score) {
  if (call.kind == ImportanceKind::ema) return call.beta * before + (1 - call.beta) * score;
  if (call.kind == ImportanceKind::accumulated) return before + score;
  const double faded = call.beta * before;
  return score < faded ? faded : score;
}

__device__ float follow(const ImportanceCall& call, const ImportanceStep& step, std::int64_t kv_row,
                        std::int64_t token) {
  double& state = call.state[kv_row * call.stride + token];
  double importance = token < step.position ? state : 0.0;
  for (std::int64_t s = max(step.position, token); s < step.position + call.n_rows; ++s) {
    const double score = reduced(call, step.position, kv_row, s, token);
    importance = s == token ? score : next(call, importance, score);
  }
  state = importance;
  return static_cast<float>(importance);
}

// resources: registers 48, shared 0, threads 256, blocks 5
template <bool kWindow>
__global__ void __launch_bounds__(kThreads) take_rows(ImportanceCall call) {
  const ImportanceStep step = call.step_on_device != nullptr ? *call.step_on_device : call.step;
  const std::int64_t blocks_per_row = (call.max_tokens + kThreads - 1) / kThreads;
  const std::int64_t kv_row = blockIdx.x / blocks_per_row;
  const std::int64_t token = blockIdx.x % blocks_per_row * kThreads + threadIdx.x;
  if (token >= step.position + call.n_rows) return;
  call.importance[kv_row * call.stride + token] =
      kWindow ? window_max(call, step, kv_row, token) : follow(call, step, kv_row, token);
}

}  // namespace

cudaError_t importance(const ImportanceCall& call, cudaStream_t stream) {
  if (call.n_rows == 0 || call.n_layers * call.n_kv_heads == 0) return cudaSuccess;
  if (call.n_heads % call.n_kv_heads != 0 || (call.head_stride != 0 && call.n_rows != 1)) {
    return cudaErrorInvalidValue;
  }
  const std::int64_t n_blocks =
      call.n_layers * call.n_kv_heads * ((call.max_tokens + kThreads - 1) / kThreads);
  const auto kernel = call.kind == ImportanceKind::window_max ? take_rows<true> : take_rows<false>;
  return launch(kernel, static_cast<unsigned>(n_blocks), kThreads, 0, stream, call);
}

}  // namespace qaq::cuda
