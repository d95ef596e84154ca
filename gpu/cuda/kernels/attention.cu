// A block of 256 takes some rows of one head (eight, or four of more than 128 channels, or one
// where there are few) and walks over the keys in tiles of 64 that begin at multiples of 64, twice:
// for the largest score, then for the exponentials, their sum and the mixed values. Scores are made
// twice rather than kept, so nothing grows with the number of keys.
//
// Scores: four lanes a key; lane s takes channels 4 s to 4 s + 3 of every 16, in order, and the
// four sums are added as (0 + 1) + (2 + 3). Sum of exponentials: float64, one per key's place in
// the tile, then shuffles, then warps in order. Values: warp g takes keys 8 g to 8 g + 7 of every
// tile, in order, and the eight warps are added in order. All of it depends on a key's position
// alone, and a key that a row does not see never touches it, so a row has the same bytes whatever
// else the block, the part or the batch holds.
//
// Bytes: a block reads keys twice and values once, in whole 64-byte pieces, for its rows together:
// 1,536 bytes a key at head_dim 128, from the L2 cache in a prefill. Floor there: 6 head_dim
// operations a score at the float32 rate. Scores, where they are wanted, are written as
// exponentials, then read and written once more: 12 bytes each.
#include <algorithm>
#include <climits>
#include <cmath>

#include "gpu/cuda/kernels/attention.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kKeys = 64;                  // of a tile
constexpr int kSlices = kThreads / kKeys;  // lanes a key
constexpr int kWarpKeys = kKeys / kWarps;  // whose values a warp mixes
constexpr int kMaxHeadDim = 256;
constexpr int kRowsOfFew = 4;                          // fewer rows than that get a block each
constexpr std::int64_t kMaxKeys = INT_MAX - kThreads;  // steps past the end are ints

// What a launch computes.
struct Work {
  AttentionCall call;
  AttentionPart part;
  float* scores = nullptr;  // or null
  unsigned window = 0;      // keys that a row sees; 2^31 - 1: all of them
  float scale = 0;
};

template <int kRows>
struct Shared {
  double sums[kWarps][kRows];
  float largest[kWarps][kRows];
  float factor[kRows];
  float4 query[kRows][kMaxHeadDim / 4];
  // Of a tile: exp(score - largest), zero where it is not seen. Two, so that one barrier does.
  alignas(16) float weights[2][kKeys][kRows];
  float4 mixed[kWarps][kMaxHeadDim / 4];
};

// The rows of a block. Positions and keys are below 2^31; offsets are made in 64 bits.
struct Rows {
  std::int64_t head = 0;
  std::int64_t first = 0;  // in the call
  int position = 0;        // of the first
  int n = 0;
  unsigned window = 0;
  int first_key = 0;  // that any row sees
  int end_key = 0;

  // Of rows behind the last any answer does, for they are not written.
  __device__ bool sees(int row, int key) const {
    return static_cast<unsigned>(position + row - key) < window;  // negative: above any window
  }
  // Whether every row sees the whole tile.
  __device__ bool all_see(int tile) const {
    return tile + kKeys <= position + 1 && static_cast<unsigned>(position + n - 1 - tile) < window;
  }
};

template <int kRows>
__device__ Rows rows_of_block(const Work& work) {
  const std::int64_t n_groups = (work.part.n_rows + kRows - 1) / kRows;
  // The last rows, which see most keys, go first.
  const std::int64_t group = n_groups - 1 - blockIdx.x / work.part.n_heads;
  Rows rows;
  rows.head = work.part.first_head + blockIdx.x % work.part.n_heads;
  rows.first = work.part.first_row + group * kRows;
  rows.position = static_cast<int>(work.call.first_position + rows.first);
  rows.n =
      static_cast<int>(min(static_cast<std::int64_t>(kRows), work.part.n_rows - group * kRows));
  rows.window = work.window;
  rows.end_key = rows.position + rows.n;
  rows.first_key = max(0, rows.position + 1 - static_cast<int>(rows.window));
  return rows;
}

// A row of the block in the part's scores.
__device__ float* scores_of(const Work& work, const Rows& rows, int row) {
  const std::int64_t first = work.call.first_position + work.part.first_row;
  const std::int64_t slab = triangle_size(first, work.part.n_rows);
  return work.scores + (rows.head - work.part.first_head) * slab +
         triangle_size(first, rows.position + row - first);
}

// Rows whose scores a lane has after score_key: slice, slice + kSlices, ...; of one row all have
// it.
template <int kRows>
struct OwnRows {
  static constexpr int kCount = kRows == 1 ? 1 : kRows / kSlices;

  __device__ static int row(int own) {
    return kRows == 1 ? 0 : own * kSlices + static_cast<int>(threadIdx.x) % kSlices;
  }
};

// q k^T of the thread's key, or zero where it is null. Rows are dealt out while slices are added,
// which takes six shuffles for eight rows instead of sixteen.
template <int kRows, bool kAligned>
__device__ void score_key(const float4 (&query)[kRows][kMaxHeadDim / 4], const float* key,
                          std::int64_t head_dim, float (&own)[OwnRows<kRows>::kCount]) {
  const int slice = threadIdx.x % kSlices;
  float sums[kRows] = {};
  if (key) {
    for (std::int64_t c = 4 * slice; c < head_dim; c += 4 * kSlices) {
      const float4 k = load_quad<kAligned>(key, c, head_dim);
      QAQ_UNROLL
      for (int row = 0; row < kRows; ++row) {
        sums[row] = add_products(query[row][c / 4], k, sums[row]);
      }
    }
  }
  if constexpr (kRows == 1) {
    sums[0] += __shfl_xor_sync(~0u, sums[0], 1);
    own[0] = sums[0] + __shfl_xor_sync(~0u, sums[0], 2);
  } else {
    const bool odd = slice % 2 != 0, high = slice / 2 != 0;
    QAQ_UNROLL
    for (int i = 0; i < kRows / 2; ++i) {
      const float sent = odd ? sums[2 * i] : sums[2 * i + 1];
      sums[i] = (odd ? sums[2 * i + 1] : sums[2 * i]) + __shfl_xor_sync(~0u, sent, 1);
    }
    QAQ_UNROLL
    for (int i = 0; i < kRows / 4; ++i) {
      const float sent = high ? sums[2 * i] : sums[2 * i + 1];
      own[i] = (high ? sums[2 * i + 1] : sums[2 * i]) + __shfl_xor_sync(~0u, sent, 2);
    }
  }
}

__device__ void add_scaled(float4& sum, float factor, const float4& x) {
  sum = make_float4(fmaf(factor, x.x, sum.x), fmaf(factor, x.y, sum.y), fmaf(factor, x.z, sum.z),
                    fmaf(factor, x.w, sum.w));
}

// Scores' rows: exponentials become probabilities, what is not seen and the padding become zero.
__device__ void finish_scores(const Work& work, const Rows& rows, const float* factor) {
  for (int row = 0; row < rows.n; ++row) {
    float* scores = scores_of(work, rows, row);
    const std::int64_t n = triangle_size(rows.position + row, 1);
    for (int key = threadIdx.x; key < n; key += kThreads) {
      scores[key] = rows.sees(row, key) ? scores[key] * factor[row] : 0.0f;
    }
  }
}

// kQuads: of channels that a lane mixes, 128 channels a warp each.
// resources: registers 112, shared 21280, threads 256, blocks 2
template <int kRows, int kQuads, bool kAligned>
__global__ void __launch_bounds__(kThreads) attention_rows(Work work) {
  Shared<kRows>& s = block_shared<Shared<kRows>>();
  const AttentionCall& call = work.call;
  const Rows rows = rows_of_block<kRows>(work);
  const std::int64_t d = call.head_dim;
  const std::int64_t kv_head = rows.head / (call.n_heads / call.n_kv_heads);
  const float* keys = call.key + kv_head * call.cache_stride * d;
  const float* values = call.value + kv_head * call.cache_stride * d;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int key_in_tile = threadIdx.x / kSlices, slice = threadIdx.x % kSlices;
  const int first_tile = rows.first_key / kKeys * kKeys;

  for (int i = threadIdx.x; i < kRows * kMaxHeadDim / 4; i += kThreads) {
    const int row = i / (kMaxHeadDim / 4), quad = i % (kMaxHeadDim / 4);
    const float* query = call.query + (rows.head * call.query_stride + rows.first + row) * d;
    s.query[row][quad] =
        row < rows.n ? load_quad<kAligned>(query, 4 * quad, d) : make_float4(0, 0, 0, 0);
  }
  __syncthreads();

  // Where the thread's key lies, or null where no row sees it.
  const auto key_at = [&](int key) {
    return key >= rows.first_key && key < rows.end_key ? keys + key * d : nullptr;
  };

  using Own = OwnRows<kRows>;
  float largest[Own::kCount], scores[Own::kCount];
  QAQ_UNROLL
  for (int own = 0; own < Own::kCount; ++own) largest[own] = -INFINITY;
  for (int tile = first_tile; tile < rows.end_key; tile += kKeys) {
    const int key = tile + key_in_tile;
    score_key<kRows, kAligned>(s.query, key_at(key), d, scores);
    QAQ_UNROLL
    for (int own = 0; own < Own::kCount; ++own) {
      if (rows.sees(Own::row(own), key)) largest[own] = fmaxf(largest[own], scores[own]);
    }
  }
  QAQ_UNROLL
  for (int own = 0; own < Own::kCount; ++own) {
    for (int distance = 16; distance >= kSlices; distance /= 2) {
      largest[own] = fmaxf(largest[own], __shfl_xor_sync(~0u, largest[own], distance));
    }
    if (lane < min(kSlices, kRows)) s.largest[warp][Own::row(own)] = largest[own];
  }
  __syncthreads();
  QAQ_UNROLL
  for (int own = 0; own < Own::kCount; ++own) {
    for (int w = 0; w < kWarps; ++w) {
      largest[own] = fmaxf(largest[own], s.largest[w][Own::row(own)]);
    }
  }

  double sums[Own::kCount] = {};
  float4 mixed[kRows][kQuads];
  QAQ_UNROLL
  for (int row = 0; row < kRows; ++row) {
    QAQ_UNROLL
    for (int quad = 0; quad < kQuads; ++quad) mixed[row][quad] = make_float4(0, 0, 0, 0);
  }
  int buffer = 0;
  for (int tile = first_tile; tile < rows.end_key; tile += kKeys) {
    const int key = tile + key_in_tile;
    score_key<kRows, kAligned>(s.query, key_at(key), d, scores);
    QAQ_UNROLL
    for (int own = 0; own < Own::kCount; ++own) {
      const int row = Own::row(own);
      const bool seen = rows.sees(row, key);
      const float weight = seen ? expf((scores[own] - largest[own]) * work.scale) : 0.0f;
      sums[own] += static_cast<double>(weight);
      if (kRows == 1 && slice != 0) continue;  // lane 0 of a key writes for all
      s.weights[buffer][key_in_tile][row] = weight;
      if (seen && work.scores && row < rows.n) scores_of(work, rows, row)[key] = weight;
    }
    __syncthreads();

    const bool all_seen = rows.all_see(tile);
    for (int i = 0; i < kWarpKeys; ++i) {
      const int place = warp * kWarpKeys + i, place_key = tile + place;
      if (place_key < rows.first_key || place_key >= rows.end_key) continue;
      float4 value[kQuads];
      QAQ_UNROLL
      for (int quad = 0; quad < kQuads; ++quad) {
        value[quad] = load_quad<kAligned>(values + place_key * d, 4 * lane + 128 * quad, d);
      }
      QAQ_UNROLL
      for (int row = 0; row < kRows; ++row) {
        if (!all_seen && !rows.sees(row, place_key)) continue;
        const float weight = s.weights[buffer][place][row];
        QAQ_UNROLL
        for (int quad = 0; quad < kQuads; ++quad) {
          add_scaled(mixed[row][quad], weight, value[quad]);
        }
      }
    }
    buffer = 1 - buffer;
  }

  QAQ_UNROLL
  for (int own = 0; own < Own::kCount; ++own) {
    for (int distance = 16; distance >= kSlices; distance /= 2) {
      sums[own] += __shfl_xor_sync(~0u, sums[own], distance);
    }
    if (lane < min(kSlices, kRows)) s.sums[warp][Own::row(own)] = sums[own];
  }
  __syncthreads();
  if (static_cast<int>(threadIdx.x) < rows.n) {
    double sum = 0;
    for (int w = 0; w < kWarps; ++w) sum += s.sums[w][threadIdx.x];
    s.factor[threadIdx.x] = static_cast<float>(1.0 / sum);
  }

  QAQ_UNROLL
  for (int row = 0; row < kRows; ++row) {
    if (row >= rows.n) break;
    QAQ_UNROLL
    for (int quad = 0; quad < kQuads; ++quad) s.mixed[warp][lane + 32 * quad] = mixed[row][quad];
    __syncthreads();
    float* out = call.out + ((rows.first + row) * call.n_heads + rows.head) * d;
    for (std::int64_t c = threadIdx.x; c < d; c += kThreads) {
      float sum = 0;
      for (int w = 0; w < kWarps; ++w) sum += reinterpret_cast<const float*>(s.mixed[w])[c];
      out[c] = sum * s.factor[row];
    }
    __syncthreads();
  }
  if (work.scores) finish_scores(work, rows, s.factor);
}

template <int kRows, int kQuads, bool kAligned>
cudaError_t launch_rows(const Work& work, cudaStream_t stream) {
  const std::int64_t n_groups = (work.part.n_rows + kRows - 1) / kRows;
  return launch(attention_rows<kRows, kQuads, kAligned>,
                static_cast<unsigned>(work.part.n_heads * n_groups), kThreads, 0, stream, work);
}

// Mixed values of so many rows and channels fit the registers of two blocks an SM.
template <bool kAligned>
cudaError_t launch_any(const Work& work, cudaStream_t stream) {
  const bool few = work.part.n_rows < kRowsOfFew;
  if (work.call.head_dim <= 128) {
    return few ? launch_rows<1, 1, kAligned>(work, stream)
               : launch_rows<8, 1, kAligned>(work, stream);
  }
  return few ? launch_rows<1, 2, kAligned>(work, stream)
             : launch_rows<4, 2, kAligned>(work, stream);
}

}  // namespace

cudaError_t attention(const AttentionCall& call, const AttentionPart& part, float* scores,
                      cudaStream_t stream) {
  if (part.n_heads == 0 || part.n_rows == 0) return cudaSuccess;
  const std::int64_t n_keys = call.first_position + call.n_rows;
  if (call.head_dim < 1 || call.head_dim > kMaxHeadDim || call.n_kv_heads < 1 ||
      call.n_heads % call.n_kv_heads != 0 || n_keys > kMaxKeys) {
    return cudaErrorInvalidValue;
  }
  const Work work{
      call, part, scores,
      call.window == 0 ? INT_MAX : static_cast<unsigned>(std::min(call.window, kMaxKeys)),
      static_cast<float>(1.0 / std::sqrt(static_cast<double>(call.head_dim)))};
  const bool aligned = in_whole_quads(call.head_dim, {call.query, call.key, call.value});
  return aligned ? launch_any<true>(work, stream) : launch_any<false>(work, stream);
}

}  // namespace qaq::cuda
