// A block of 128 takes 64 rows of one head, a warp 16 of them (half_rows.h), and walks over the
// keys in tiles of 64 (32 of more than 128 channels) that begin at multiples of that. Keys and
// values have one buffer each, which cp.async fills while the other one is used: keys of the next
// tile arrive during softmax and mixing, values during the product with the keys. So 35 KB are
// enough at 128 channels, and other blocks of the SM fill the gaps.
//
// Scores, where they are wanted, are a second walk over the keys, with the row's last base and sum:
// each is made again and written once. What is mixed comes from the first walk alone, so `out` is
// the same bytes with scores and without. Tiles depend on positions, rows do not touch each other,
// and a tile that a row does not see leaves its sums as they are.
//
// Floor: 4 head_dim operations for each score at the tensor cores' rate, 6 with scores, which are 4
// bytes each. Shared memory: a tile is 32 KB of keys and values at 128 channels that each of four
// warps reads whole, 1024 cycles at 128 bytes for 2^21 operations, where the tensor cores of an
// H100 need 512: half of their rate is the most.
#include "gpu/cuda/kernels/half_rows.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kRows = kFragmentRows * kThreads / 32;

template <int kDim>
struct Shared {
  static constexpr int kKeys = kDim <= 128 ? 64 : 32;
  union {
    alignas(16) HalfRow<kDim> query[kRows];  // until the warps hold it
    HalfRow<kDim> tiles[2][kKeys];           // keys, values; of the second walk keys in turns
  };
};

// The rows of a block, and of a lane (WarpRows::row).
struct Rows {
  std::int64_t head = 0;
  std::int64_t kv_head = 0;
  std::int64_t first = 0;  // in the call
  int position = 0;        // of the first
  int n = 0;
  int first_key = 0;  // that any row sees
  int end_key = 0;

  __device__ int own(int i) const {
    return kFragmentRows * static_cast<int>(threadIdx.x / 32) + WarpRows<16>::row(i);
  }
  __device__ int own_position(int i) const { return position + own(i); }
  // Behind the last key that a row of the warp sees; 0: it has no rows.
  __device__ int warp_end() const {
    const int of_warp = kFragmentRows * static_cast<int>(threadIdx.x / 32);
    return of_warp < n ? min(end_key, position + of_warp + kFragmentRows) : 0;
  }
};

__device__ Rows rows_of_block(const HalfWork& work) {
  const std::int64_t n_groups = (work.part.n_rows + kRows - 1) / kRows;
  // The last rows, which see most keys, go first.
  const std::int64_t group = n_groups - 1 - blockIdx.x / work.part.n_heads;
  Rows rows;
  rows.head = work.part.first_head + blockIdx.x % work.part.n_heads;
  rows.kv_head = rows.head / (work.call.n_heads / work.call.n_kv_heads);
  rows.first = work.part.first_row + group * kRows;
  rows.position = static_cast<int>(work.first_position() + rows.first);
  rows.n =
      static_cast<int>(min(static_cast<std::int64_t>(kRows), work.part.n_rows - group * kRows));
  rows.first_key = work.first_key(rows.position);
  rows.end_key = rows.position + rows.n;
  return rows;
}

// What a block does, its warps each with their rows.
template <class Half, int kDim>
struct Walk {
  static constexpr int kKeys = Shared<kDim>::kKeys;

  const HalfWork& work;
  Rows rows;
  Shared<kDim>& s;
  unsigned query[kDim / 16][4];  // of the warp, all the way

  __device__ Walk(const HalfWork& from, Shared<kDim>& shared)
      : work(from), rows(rows_of_block(from)), s(shared) {
    load_rows<kDim, kRows, kThreads>(s.query, threadIdx.x, work, [&](int row) {
      return row < rows.n ? work.query(rows.head, rows.first + row) : nullptr;
    });
    commit_copies();
    wait_copies<0>();
    __syncthreads();
    QAQ_UNROLL
    for (int chunk = 0; chunk < kDim / 16; ++chunk) {
      load_query<kDim>(s.query + kFragmentRows * (threadIdx.x / 32), chunk, query[chunk]);
    }
    __syncthreads();  // tiles lie in the same place
  }

  __device__ int first_tile() const { return rows.first_key / kKeys * kKeys; }

  // One copy group: the tile's keys or values, zero where no row sees them.
  __device__ void load_tile(HalfRow<kDim>* to, const void* numbers, int tile) const {
    const HalfBits* cache = work.cache(numbers, rows.kv_head);
    load_rows<kDim, kKeys, kThreads>(to, threadIdx.x, work, [&](int row) {
      const int key = tile + row;
      return key >= rows.first_key && key < rows.end_key ? cache + key * work.call.head_dim
                                                         : nullptr;
    });
    commit_copies();
  }

  __device__ void score_tile(const HalfRow<kDim>* keys, int tile, Scores<kKeys>& scores) const {
    const auto query_of = [&](int chunk, unsigned(&to)[4]) {
      QAQ_UNROLL
      for (int i = 0; i < 4; ++i) to[i] = query[chunk][i];
    };
    score_keys<Half, kKeys, kDim>(query_of, keys, scores);
    const bool all_seen = tile + kKeys <= rows.position + 1 && work.sees(rows.end_key - 1, tile);
    if (all_seen) return;
    hide_keys<kKeys>(
        scores, [&](int own, int key) { return work.sees(rows.own_position(own), tile + key); });
  }

  // The first walk. Afterwards nobody uses shared memory any more.
  __device__ void mix(WarpRows<kDim>& warp) const {
    const int warp_end = rows.warp_end();
    load_tile(s.tiles[0], work.call.key, first_tile());
    for (int tile = first_tile(); tile < rows.end_key; tile += kKeys) {
      load_tile(s.tiles[1], work.call.value, tile);
      wait_copies<1>();
      __syncthreads();  // the keys are there
      Scores<kKeys> scores;
      if (tile < warp_end) score_tile(s.tiles[0], tile, scores);
      __syncthreads();  // and read by all
      load_tile(s.tiles[0], work.call.key, tile + kKeys);
      if (tile < warp_end) weigh_keys<kKeys>(warp, work.scale, scores);
      wait_copies<1>();
      __syncthreads();  // the values are there
      if (tile < warp_end) mix_values<Half, 1, kKeys>(warp, s.tiles[1], scores);
      __syncthreads();  // and read by all
    }
    wait_copies<0>();
    __syncthreads();
  }

  __device__ void write_out(const WarpRows<kDim>& warp, const float (&factor)[2]) const {
    const int d = static_cast<int>(work.call.head_dim);
    QAQ_UNROLL
    for (int own = 0; own < 2; ++own) {
      if (rows.own(own) >= rows.n) continue;
      HalfBits* out =
          static_cast<HalfBits*>(work.call.out) +
          ((rows.first + rows.own(own)) * work.call.n_heads + rows.head) * work.call.head_dim;
      QAQ_UNROLL
      for (int eight = 0; eight < kDim / 8; ++eight) {
        float first = warp.mixed[eight][2 * own] * factor[own];
        float second = warp.mixed[eight][2 * own + 1] * factor[own];
        const unsigned pair = take_pair<Half>(first, second);
        const int c = WarpRows<kDim>::column(eight, 0);
        if (work.aligned) {
          if (c < d) *reinterpret_cast<unsigned*>(out + c) = pair;
        } else {
          if (c < d) out[c] = static_cast<HalfBits>(pair);
          if (c + 1 < d) out[c + 1] = static_cast<HalfBits>(pair >> 16);
        }
      }
    }
  }

  // Scores of keys before the first tile, which nobody sees.
  __device__ void clear_scores() const {
    for (int row = 0; row < rows.n; ++row) {
      float* scores = work.scores_of(rows.head, rows.first + row);
      for (int key = 4 * static_cast<int>(threadIdx.x); key < first_tile(); key += 4 * kThreads) {
        *reinterpret_cast<float4*>(scores + key) = make_float4(0, 0, 0, 0);
      }
    }
  }

  // The second walk.
  __device__ void write_scores(const float (&base)[2], const float (&factor)[2]) const {
    float* to[2];
    int n_scores[2];  // with padding; 0: a row behind the last
    QAQ_UNROLL
    for (int own = 0; own < 2; ++own) {
      const bool wanted = rows.own(own) < rows.n;
      to[own] = wanted ? work.scores_of(rows.head, rows.first + rows.own(own)) : nullptr;
      n_scores[own] = wanted ? static_cast<int>(triangle_size(rows.own_position(own), 1)) : 0;
    }
    const int warp_end = rows.warp_end();
    int buffer = 0;
    load_tile(s.tiles[buffer], work.call.key, first_tile());
    for (int tile = first_tile(); tile < rows.end_key; tile += kKeys) {
      load_tile(s.tiles[1 - buffer], work.call.key, tile + kKeys);
      wait_copies<1>();
      __syncthreads();
      Scores<kKeys> scores;
      if (tile < warp_end) score_tile(s.tiles[buffer], tile, scores);
      __syncthreads();
      QAQ_UNROLL
      for (int eight = 0; eight < kKeys / 8; ++eight) {
        const int key = tile + WarpRows<kDim>::column(eight, 0);
        QAQ_UNROLL
        for (int own = 0; own < 2; ++own) {
          if (key >= n_scores[own]) continue;
          const float* product = &scores[eight][2 * own];
          *reinterpret_cast<float2*>(to[own] + key) =
              make_float2(weight_of(product[0], work.scale, base[own]) * factor[own],
                          weight_of(product[1], work.scale, base[own]) * factor[own]);
        }
      }
      buffer = 1 - buffer;
    }
    wait_copies<0>();
  }
};

// resources: registers 255, shared 34816, threads 128, blocks 2
template <class Half, int kDim>
__global__ void __launch_bounds__(kThreads) prefill_rows(HalfWork work) {
  Walk<Half, kDim> walk(work, block_shared<Shared<kDim>>());
  WarpRows<kDim> warp;
  walk.mix(warp);
  const float factor[2] = {1.0f / sum_of_lanes(warp.sums[0]), 1.0f / sum_of_lanes(warp.sums[1])};
  walk.write_out(warp, factor);
  if (!work.scores) return;
  walk.clear_scores();
  walk.write_scores(warp.base, factor);
}

}  // namespace

cudaError_t attention_prefill(const HalfAttentionCall& call, const AttentionPart& part,
                              float* scores, cudaStream_t stream) {
  if (part.n_heads == 0 || part.n_rows == 0) return cudaSuccess;
  if (!fits(call)) return cudaErrorInvalidValue;
  const HalfWork work = half_work(call, part, scores);
  const std::int64_t n_blocks = (part.n_rows + kRows - 1) / kRows * part.n_heads;
  return with_kind(call, [&](auto kind) {
    return launch(prefill_rows<typename decltype(kind)::Half, decltype(kind)::kDim>,
                  static_cast<unsigned>(n_blocks), kThreads, 0, stream, work);
  });
}

cudaError_t half_attention(const HalfAttentionCall& call, const AttentionPart& part, float* scores,
                           cudaStream_t stream) {
  return call.n_rows <= kDecodeRows ? attention_decode(call, part, scores, stream)
                                    : attention_prefill(call, part, scores, stream);
}

}  // namespace qaq::cuda
