// A block of 128 takes 32 rows of one head (and one plan) and walks over their keys in tiles of 64
// that begin at multiples of 64, twice: for the largest logit and the sum of exponentials, then for
// the scores, exact and quantized side by side, their squared differences and the mixed values.
// Logits are made again rather than kept, so nothing grows with the number of keys.
//
// Logits: a thread has 4 rows x 4 keys, and adds up channels in order; 32 channels of the rows and
// of one or two tiles of keys lie in shared memory at a time, rows 9 quads apart, so that eight
// threads that load together touch all banks once. Sums over keys: float64, one per thread and row
// in the order of tiles, then sixteen lanes by halves. Values: a thread has 4 rows and one, two or
// four quads of channels, and takes keys in order. All of it depends on a key's position alone, and
// a key that a row does not see adds nothing to it: a row has the same bytes whatever else the
// block or the launch holds.
//
// Floor: 2 D operations at the float32 rate for each logit and as many for each mixed value: of a
// pair of row and key 8 D a plan (6 D where the exact scores are given), and once 6 D (2 D) for
// what is exact. A thread loads 12 quads for 128 multiply-adds of logits, 3 for 32 of values at D =
// 128; a block reads 384 bytes from the L2 cache for each 4,096 of either.
#include <climits>
#include <cmath>

#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/kernels/replay_error.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kLanes = 16;  // that share rows
constexpr int kSpan = 4;    // rows of a thread, and its keys of a tile: kLanes apart
constexpr int kRows = kSpan * kThreads / kLanes;
constexpr int kKeys = kSpan * kLanes;
constexpr int kChunk = 8;       // quads of channels that lie in shared memory at a time
constexpr int kValueKeys = 16;  // keys whose values do
constexpr int kMaxQuads = 4;    // of a thread's channels: 256 channels
constexpr float kNone = -INFINITY;

// Before a loop that would take too many registers.
#ifdef __CUDACC__
#define QAQ_KEEP_LOOP _Pragma("unroll 1")
#else
#define QAQ_KEEP_LOOP
#endif

struct Shared {
  union {
    struct {
      float4 query[kRows][kChunk + 1];
      float4 keys[2][kKeys][kChunk + 1];
    };
    float4 values[kValueKeys][kMaxQuads * kLanes];
  };
  float4 weights[kKeys][kRows / kSpan + 1];  // scores of a tile by key
};

// Where the thread stands among those that share its rows, and which rows these are.
__device__ int lane() { return static_cast<int>(threadIdx.x) % kLanes; }
__device__ int own_rows() { return static_cast<int>(threadIdx.x) / kLanes; }

// The rows of a block. Positions are below 2^30; offsets are made in 64 bits.
struct Rows {
  std::int64_t head = 0;
  std::int64_t kv_head = 0;
  std::int64_t first = 0;  // in the call
  int n = 0;
  int first_key = 0;  // of the first tile that any row sees
  int end_key = 0;
  int window = 0;
  int position[kSpan] = {};  // of the thread's own; behind the last row -1, which sees nothing

  __device__ bool sees(int row, int key) const {
    return key <= position[row] && key > position[row] - window;
  }
};

__device__ Rows rows_of_block(const ReplayCall& call) {
  const std::int64_t n_groups = (call.n_rows + kRows - 1) / kRows;
  Rows rows;
  rows.head = blockIdx.x % call.n_heads;
  rows.kv_head = rows.head / (call.n_heads / call.n_kv_heads);
  // The last rows, which see most keys, go first.
  rows.first = (n_groups - 1 - blockIdx.x / call.n_heads) * kRows;
  rows.n = static_cast<int>(min(static_cast<std::int64_t>(kRows), call.n_rows - rows.first));
  rows.window = call.window > 0 && call.window < INT_MAX ? static_cast<int>(call.window) : INT_MAX;
  const std::int32_t* positions = call.positions + rows.first;
  rows.end_key = positions[rows.n - 1] + 1;
  rows.first_key = max(0, positions[0] + 1 - rows.window) / kKeys * kKeys;
  QAQ_UNROLL
  for (int i = 0; i < kSpan; ++i) {
    const int row = kSpan * own_rows() + i;
    rows.position[i] = row < rows.n ? positions[row] : -1;
  }
  return rows;
}

// Products of the thread's rows and its keys of a tile.
using Logits = float[kSpan][kSpan];

// Loads quads [first, first + kChunk) of rows of `stride` numbers; zero where there is none.
template <int kCount>
__device__ void load_chunk(float4 (&to)[kCount][kChunk + 1], const float* from, std::int64_t n_rows,
                           std::int64_t stride, int first) {
  for (int i = static_cast<int>(threadIdx.x); i < kCount * kChunk; i += kThreads) {
    const int row = i / kChunk, quad = i % kChunk;
    const std::int64_t n_cols = row < n_rows ? stride : 0;
    to[row][quad] = load_quad<true>(from + row * stride, 4 * (first + quad), n_cols);
  }
}

// The logits of a tile, on one cache of keys or on two. Begins with a barrier.
template <int kSources>
__device__ void multiply(Shared& s, const ReplayCall& call, const Rows& rows,
                         const float* const (&keys)[kSources], int tile,
                         Logits (&logits)[kSources]) {
  const int n_quads = static_cast<int>(call.stride / 4);
  const float* query = call.query + (rows.head * call.n_rows + rows.first) * call.stride;
  const std::int64_t first_key = (rows.kv_head * call.n_tokens + tile) * call.stride;
  QAQ_UNROLL
  for (int source = 0; source < kSources; ++source) {
    QAQ_UNROLL
    for (int i = 0; i < kSpan; ++i) {
      QAQ_UNROLL
      for (int j = 0; j < kSpan; ++j) logits[source][i][j] = 0;
    }
  }
  for (int first = 0; first < n_quads; first += kChunk) {
    __syncthreads();
    load_chunk(s.query, query, rows.n, call.stride, first);
    QAQ_UNROLL
    for (int source = 0; source < kSources; ++source) {
      load_chunk(s.keys[source], keys[source] + first_key, call.n_tokens - tile, call.stride,
                 first);
    }
    __syncthreads();
    const int n = min(kChunk, n_quads - first);
    QAQ_KEEP_LOOP
    for (int c = 0; c < n; ++c) {
      float4 q[kSpan];
      QAQ_UNROLL
      for (int i = 0; i < kSpan; ++i) q[i] = s.query[kSpan * own_rows() + i][c];
      QAQ_UNROLL
      for (int source = 0; source < kSources; ++source) {
        QAQ_UNROLL
        for (int j = 0; j < kSpan; ++j) {
          const float4 k = s.keys[source][lane() + kLanes * j][c];
          QAQ_UNROLL
          for (int i = 0; i < kSpan; ++i) {
            logits[source][i][j] = add_products(q[i], k, logits[source][i][j]);
          }
        }
      }
    }
  }
}

// The largest of some logits and the sum of exp((x - largest) * scale) over them.
struct Sum {
  float largest = kNone;
  double total = 0;

  // What the total becomes where the largest is another; of no logits it is zero.
  __device__ double total_below(float other, float scale) const {
    return largest == other ? total : total * static_cast<double>(expf((largest - other) * scale));
  }
};

template <class Value>
__device__ Value sum_of_lanes(Value x) {
  QAQ_UNROLL
  for (int distance = kLanes / 2; distance > 0; distance /= 2) {
    x += __shfl_xor_sync(~0u, x, distance, kLanes);
  }
  return x;
}

__device__ RowSoftmax softmax_of_lanes(const Sum& sum, float scale) {
  float largest = sum.largest;
  QAQ_UNROLL
  for (int distance = kLanes / 2; distance > 0; distance /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, distance, kLanes));
  }
  return {largest, static_cast<float>(1.0 / sum_of_lanes(sum.total_below(largest, scale)))};
}

// The softmax of the thread's rows over `keys`, in all of its lanes.
__device__ void find_softmax(Shared& s, const ReplayCall& call, const Rows& rows, const float* keys,
                             float scale, RowSoftmax (&found)[kSpan]) {
  Sum sums[kSpan];
  const float* const sources[1] = {keys};
  for (int tile = rows.first_key; tile < rows.end_key; tile += kKeys) {
    Logits logits[1];
    multiply(s, call, rows, sources, tile, logits);
    QAQ_UNROLL
    for (int i = 0; i < kSpan; ++i) {
      float largest = sums[i].largest;
      QAQ_UNROLL
      for (int j = 0; j < kSpan; ++j) {
        if (rows.sees(i, tile + lane() + kLanes * j)) largest = fmaxf(largest, logits[0][i][j]);
      }
      double total = sums[i].total_below(largest, scale);
      QAQ_UNROLL
      for (int j = 0; j < kSpan; ++j) {
        if (!rows.sees(i, tile + lane() + kLanes * j)) continue;
        total += static_cast<double>(expf((logits[0][i][j] - largest) * scale));
      }
      sums[i] = {largest, total};
    }
  }
  QAQ_UNROLL
  for (int i = 0; i < kSpan; ++i) found[i] = softmax_of_lanes(sums[i], scale);
}

__device__ float score_of(const RowSoftmax& softmax, float logit, float scale) {
  return expf((logit - softmax.largest) * scale) * softmax.factor;
}

// mixed += weights of a tile times its values, keys in order. Begins with a barrier.
template <int kQuads>
__device__ void mix_values(Shared& s, const ReplayCall& call, const Rows& rows, const float* values,
                           int tile, float4 (&mixed)[kSpan][kQuads]) {
  const std::int64_t head = rows.kv_head * call.n_tokens;
  for (int part = 0; part < kKeys && tile + part < rows.end_key; part += kValueKeys) {
    __syncthreads();
    for (int i = static_cast<int>(threadIdx.x); i < kValueKeys * kQuads * kLanes; i += kThreads) {
      const int row = i / (kQuads * kLanes), quad = i % (kQuads * kLanes);
      const std::int64_t key = tile + part + row;
      const std::int64_t n_cols = key < call.n_tokens ? call.stride : 0;
      s.values[row][quad] = load_quad<true>(values + (head + key) * call.stride, 4 * quad, n_cols);
    }
    __syncthreads();
    QAQ_KEEP_LOOP
    for (int key = 0; key < kValueKeys; ++key) {
      const float4 w = s.weights[part + key][own_rows()];
      const float weights[kSpan] = {w.x, w.y, w.z, w.w};
      QAQ_UNROLL
      for (int quad = 0; quad < kQuads; ++quad) {
        const float4 v = s.values[key][lane() + kLanes * quad];
        QAQ_UNROLL
        for (int i = 0; i < kSpan; ++i) {
          float4& to = mixed[i][quad];
          to = make_float4(fmaf(weights[i], v.x, to.x), fmaf(weights[i], v.y, to.y),
                           fmaf(weights[i], v.z, to.z), fmaf(weights[i], v.w, to.w));
        }
      }
    }
  }
}

__device__ void keep_weights(Shared& s, const Logits& scores) {
  QAQ_UNROLL
  for (int j = 0; j < kSpan; ++j) {
    s.weights[lane() + kLanes * j][own_rows()] =
        make_float4(scores[0][j], scores[1][j], scores[2][j], scores[3][j]);
  }
}

__device__ double square(float x) { return static_cast<double>(x) * static_cast<double>(x); }

// Row `i` of the thread's in an array (n_heads, n_rows).
__device__ std::int64_t row_place(const ReplayCall& call, const Rows& rows, int i) {
  return rows.head * call.n_rows + rows.first + kSpan * own_rows() + i;
}

// resources: registers 168, shared 32256, threads 128, blocks 3
template <int kQuads, bool kGiven>
__global__ void __launch_bounds__(kThreads) exact_rows(ReplayCall call, float scale) {
  Shared& s = block_shared<Shared>();
  const Rows rows = rows_of_block(call);
  RowSoftmax softmax[kSpan];
  if constexpr (!kGiven) find_softmax(s, call, rows, call.exact.key, scale, softmax);

  float4 mixed[kSpan][kQuads] = {};
  const float* const keys[1] = {call.exact.key};
  for (int tile = rows.first_key; tile < rows.end_key; tile += kKeys) {
    Logits scores[1];
    if constexpr (kGiven) {
      __syncthreads();  // the weights before these were read
    } else {
      multiply(s, call, rows, keys, tile, scores);
    }
    QAQ_UNROLL
    for (int i = 0; i < kSpan; ++i) {
      QAQ_UNROLL
      for (int j = 0; j < kSpan; ++j) {
        const int key = tile + lane() + kLanes * j;
        if (!rows.sees(i, key)) {
          scores[0][i][j] = 0;
        } else if constexpr (kGiven) {
          scores[0][i][j] = call.scores[row_place(call, rows, i) * call.n_tokens + key];
        } else {
          scores[0][i][j] = score_of(softmax[i], scores[0][i][j], scale);
        }
      }
    }
    keep_weights(s, scores[0]);
    mix_values(s, call, rows, call.exact.value, tile, mixed);
  }

  QAQ_UNROLL
  for (int i = 0; i < kSpan; ++i) {
    if (rows.position[i] < 0) continue;
    const std::int64_t place = row_place(call, rows, i);
    if constexpr (!kGiven) {
      if (lane() == 0) call.softmax[place] = softmax[i];
    }
    QAQ_UNROLL
    for (int quad = 0; quad < kQuads; ++quad) {
      store_quad<true>(call.output + place * call.stride, 4 * (lane() + kLanes * quad), call.stride,
                       mixed[i][quad]);
    }
  }
}

// resources: registers 242, shared 32256, threads 128, blocks 2
template <int kQuads, bool kGiven>
__global__ void __launch_bounds__(kThreads) compared_rows(ReplayCall call, float scale) {
  constexpr int kSources = kGiven ? 1 : 2;
  Shared& s = block_shared<Shared>();
  const Rows rows = rows_of_block(call);
  const KeptCaches kept = call.plans[blockIdx.y];
  RowSoftmax softmax[kSpan], exact[kSpan];
  find_softmax(s, call, rows, kept.key, scale, softmax);
  if constexpr (!kGiven) {
    QAQ_UNROLL
    for (int i = 0; i < kSpan; ++i) {
      exact[i] = rows.position[i] < 0 ? RowSoftmax{} : call.softmax[row_place(call, rows, i)];
    }
  }

  double attention[kSpan] = {}, inside[kSpan] = {};
  float4 mixed[kSpan][kQuads] = {};
  const float* keys[kSources];
  keys[0] = kept.key;
  if constexpr (!kGiven) keys[1] = call.exact.key;
  for (int tile = rows.first_key; tile < rows.end_key; tile += kKeys) {
    Logits scores[kSources];
    multiply(s, call, rows, keys, tile, scores);
    QAQ_UNROLL
    for (int i = 0; i < kSpan; ++i) {
      QAQ_UNROLL
      for (int j = 0; j < kSpan; ++j) {
        const int key = tile + lane() + kLanes * j;
        float& score = scores[0][i][j];
        if (!rows.sees(i, key)) {
          score = 0;
          continue;
        }
        score = score_of(softmax[i], score, scale);
        float before;
        if constexpr (kGiven) {
          before = call.scores[row_place(call, rows, i) * call.n_tokens + key];
        } else {
          before = score_of(exact[i], scores[1][i][j], scale);
        }
        const double change = square(score - before);
        attention[i] += change;
        if (key < call.prefix) inside[i] += change;
      }
    }
    keep_weights(s, scores[0]);
    mix_values(s, call, rows, kept.value, tile, mixed);
  }

  QAQ_UNROLL
  for (int i = 0; i < kSpan; ++i) {
    const bool there = rows.position[i] >= 0;
    const std::int64_t row = row_place(call, rows, i);
    double change = 0;
    QAQ_UNROLL
    for (int quad = 0; quad < kQuads; ++quad) {
      const float4 x = load_quad<true>(call.output + row * call.stride,
                                       4 * (lane() + kLanes * quad), there ? call.stride : 0);
      const float4& y = mixed[i][quad];
      change += (square(y.x - x.x) + square(y.y - x.y)) + (square(y.z - x.z) + square(y.w - x.w));
    }
    const double of_row = sum_of_lanes(attention[i]), of_prefix = sum_of_lanes(inside[i]);
    change = sum_of_lanes(change);
    if (lane() != 0 || !there) continue;
    const std::int64_t place = blockIdx.y * call.n_heads * call.n_rows + row;
    call.attention[place] = of_row;
    call.prefix_attention[place] = of_prefix;
    call.output_error[place] = change / static_cast<double>(call.head_dim);
  }
}

bool takes(const ReplayCall& call) {
  return call.stride % 4 == 0 && call.head_dim <= call.stride &&
         call.stride <= 4 * kMaxQuads * kLanes && call.n_plans <= kMaxReplayPlans &&
         call.n_tokens < 1 << 30;
}

// Calls launch_with(quads), the number that a thread has of the call's channels.
template <class Launch>
cudaError_t with_quads(const ReplayCall& call, const Launch& launch_with) {
  if (call.stride <= 4 * kLanes) return launch_with(std::integral_constant<int, 1>{});
  if (call.stride <= 8 * kLanes) return launch_with(std::integral_constant<int, 2>{});
  return launch_with(std::integral_constant<int, kMaxQuads>{});
}

dim3 grid_of(const ReplayCall& call, std::int64_t n_plans) {
  return {static_cast<unsigned>((call.n_rows + kRows - 1) / kRows * call.n_heads),
          static_cast<unsigned>(n_plans)};
}

float scale_of(const ReplayCall& call) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(call.head_dim)));
}

}  // namespace

cudaError_t replay_exact(const ReplayCall& call, cudaStream_t stream) {
  if (call.n_rows == 0) return cudaSuccess;
  if (!takes(call)) return cudaErrorInvalidValue;
  return with_quads(call, [&]<int kQuads>(std::integral_constant<int, kQuads>) {
    return launch(call.scores ? exact_rows<kQuads, true> : exact_rows<kQuads, false>,
                  grid_of(call, 1), kThreads, 0, stream, call, scale_of(call));
  });
}

cudaError_t replay_error(const ReplayCall& call, cudaStream_t stream) {
  if (call.n_rows == 0 || call.n_plans == 0) return cudaSuccess;
  if (!takes(call)) return cudaErrorInvalidValue;
  return with_quads(call, [&]<int kQuads>(std::integral_constant<int, kQuads>) {
    return launch(call.scores ? compared_rows<kQuads, true> : compared_rows<kQuads, false>,
                  grid_of(call, call.n_plans), kThreads, 0, stream, call, scale_of(call));
  });
}

}  // namespace qaq::cuda
