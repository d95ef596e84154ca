// Keys are split at multiples of 256. decode_split: a block a split, a KV head and sixteen of the
// rows that read it (its query heads times the call's rows, rows of a head together); a warp takes
// every fourth chunk of 16 keys (every second of more than 128 channels), through a buffer of its
// own that cp.async fills: keys of its next chunk arrive during softmax and mixing, values during
// the product with the keys, and nobody waits for another warp. Then warps are added in order, and
// the split's base, sum and mixed values go to the workspace. decode_combine: a block a row; adds
// splits in order and turns the row's scores, which decode_split left as products, into
// probabilities. All of it depends on positions alone. What changes from step to step is read from
// memory; splits that a row does not reach end at once.
//
// Tensor cores or plain multiply-adds? Take 16 keys of 128 channels, which come in 546 cycles at an
// SM's share of 3.35 TB/s. On the tensor cores they are 16 products of 2,048 multiply-adds for the
// scores and 32 for the values, weights in two terms (48 in three): 48 to 64 cycles at 2,048 a
// cycle, for one row or sixteen. Plainly they are 4,096 conversions, and 4,096 multiply-adds a row,
// at 128 a cycle: 64 cycles for one row, 288 for eight, 544 for sixteen, all there is. So the
// tensor cores, which leave room for every number of heads. Weights in terms that add up to a float
// keep its exactness. Shared memory: 8 KB written and 12 KB read, 160 cycles.
//
// Floor: 4 head_dim bytes a key and KV head. In flight on an SM with four blocks of 128 channels:
// up to 16 warps of 8 KB, where 15 KB make up for a latency of 1,000 cycles. More than sixteen rows
// of a KV head read it again, from the L2 cache. Workspace and scores: 4 (head_dim + 2) bytes a row
// and split written and read, 12 a score.
#include "gpu/cuda/kernels/half_rows.h"

namespace qaq::cuda {
namespace {

constexpr int kChunk = 16;  // keys that a warp takes at a time
constexpr int kCombineThreads = 128;

template <int kDim>
struct SplitShared {
  static constexpr int kWarps = kDim <= 128 ? 4 : 2;
  static constexpr int kThreads = 32 * kWarps;
  alignas(16) HalfRow<kDim> query[kFragmentRows];
  union {
    alignas(16) HalfRow<kDim> chunks[kWarps][2][kChunk];  // keys, values
    float mixed[kWarps][kFragmentRows][kDim + 8];         // 8: rows lie in different banks
  };
  float bases[kWarps][kFragmentRows];
  float sums[kWarps][kFragmentRows];
  float factors[kWarps][kFragmentRows];
};

// A row of one head.
struct HeadRow {
  std::int64_t head = 0;
  std::int64_t row = 0;  // in the call
  bool wanted = false;   // by the part
};

// The rows of a block.
struct Group {
  std::int64_t kv_head = 0;
  int of_head = 0;    // query heads that read it
  int first = 0;      // among the part's rows of all of them
  int position = 0;   // of row 0 of the call
  int first_key = 0;  // that any row of the part sees
  int end_key = 0;

  __device__ HeadRow at(const HalfWork& work, int i) const {
    const int n_rows = static_cast<int>(work.part.n_rows), of_kv_head = (first + i) / n_rows;
    const std::int64_t head = kv_head * of_head + of_kv_head;
    return {head, work.part.first_row + (first + i) % n_rows,
            of_kv_head < of_head && head >= work.part.first_head &&
                head < work.part.first_head + work.part.n_heads};
  }
};

__device__ Group group_of_block(const HalfWork& work) {
  Group group;
  group.of_head = static_cast<int>(work.call.n_heads / work.call.n_kv_heads);
  group.kv_head = work.part.first_head / group.of_head + blockIdx.y;
  group.first = static_cast<int>(blockIdx.x) * kFragmentRows;
  group.position = work.first_position();
  const int first = group.position + static_cast<int>(work.part.first_row);
  group.first_key = work.first_key(first);
  group.end_key = first + static_cast<int>(work.part.n_rows);
  return group;
}

// Where a row's splits begin in the workspace: pairs of base and sum, then head_dim numbers each.
struct Partials {
  float2* states = nullptr;
  float* mixed = nullptr;
};

__device__ Partials partials_of(const HalfWork& work, std::int64_t head, std::int64_t row) {
  const std::int64_t n = work.n_splits * work.part.n_heads * work.part.n_rows;
  const std::int64_t first =
      ((row - work.part.first_row) * work.part.n_heads + head - work.part.first_head) *
      work.n_splits;
  return {reinterpret_cast<float2*>(work.call.workspace) + first,
          work.call.workspace + 2 * n + first * work.call.head_dim};
}

// What the warps of a block have, in order, to the workspace.
template <int kDim>
__device__ void fold_warps(const WarpRows<kDim>& rows, SplitShared<kDim>& s, const HalfWork& work,
                           const Group& group) {
  using Shared = SplitShared<kDim>;
  const int warp = threadIdx.x / 32;
  __syncthreads();  // the chunks have been read
  QAQ_UNROLL
  for (int own = 0; own < 2; ++own) {
    const int row = rows.row(own);
    const float sum = sum_of_lanes(rows.sums[own]);
    if (threadIdx.x % 4 == 0) {
      s.bases[warp][row] = rows.base[own];
      s.sums[warp][row] = sum;
    }
    QAQ_UNROLL
    for (int eight = 0; eight < kDim / 8; ++eight) {
      *reinterpret_cast<float2*>(&s.mixed[warp][row][rows.column(eight, 0)]) =
          make_float2(rows.mixed[eight][2 * own], rows.mixed[eight][2 * own + 1]);
    }
  }
  __syncthreads();
  if (threadIdx.x < kFragmentRows) {
    const int row = threadIdx.x;
    float base = -INFINITY, sum = 0;
    for (int w = 0; w < Shared::kWarps; ++w) base = fmaxf(base, s.bases[w][row]);
    for (int w = 0; w < Shared::kWarps; ++w) {
      s.factors[w][row] = rebased(s.bases[w][row], base);
      sum = fmaf(s.sums[w][row], s.factors[w][row], sum);
    }
    const HeadRow own = group.at(work, row);
    if (own.wanted) {
      partials_of(work, own.head, own.row).states[blockIdx.z] = make_float2(base, sum);
    }
  }
  __syncthreads();
  const int d = static_cast<int>(work.call.head_dim);
  for (int row = 0; row < kFragmentRows; ++row) {
    const HeadRow own = group.at(work, row);
    if (!own.wanted) continue;
    float* mixed = partials_of(work, own.head, own.row).mixed +
                   static_cast<std::int64_t>(blockIdx.z) * work.call.head_dim;
    for (int c = threadIdx.x; c < d; c += Shared::kThreads) {
      float sum = 0;
      for (int w = 0; w < Shared::kWarps; ++w) {
        sum = fmaf(s.mixed[w][row][c], s.factors[w][row], sum);
      }
      mixed[c] = sum;
    }
  }
}

// resources: registers 255, shared 42624, threads 128, blocks 4
template <class Half, int kDim>
__global__ void __launch_bounds__(SplitShared<kDim>::kThreads) decode_split(HalfWork work) {
  using Shared = SplitShared<kDim>;
  constexpr int kTerms = std::is_same_v<Half, __half> ? 2 : 3;
  const Group group = group_of_block(work);
  const int first_key = max(group.first_key, static_cast<int>(blockIdx.z) * kSplit);
  const int end_key = min(group.end_key, static_cast<int>(blockIdx.z + 1) * kSplit);
  if (first_key >= end_key) return;

  Shared& s = block_shared<Shared>();
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const HalfBits* keys = work.cache(work.call.key, group.kv_head);
  const HalfBits* values = work.cache(work.call.value, group.kv_head);
  // One copy group, empty behind the last chunk.
  const auto load_chunk = [&](HalfRow<kDim>* to, const HalfBits* cache, int chunk) {
    if (chunk < end_key) {
      load_rows<kDim, kChunk, 32>(to, lane, work, [&](int row) {
        const int key = chunk + row;
        return key >= first_key && key < end_key ? cache + key * work.call.head_dim : nullptr;
      });
    }
    commit_copies();
  };
  const int stride = kChunk * Shared::kWarps;
  int chunk = first_key / stride * stride + kChunk * warp;
  if (chunk + kChunk <= first_key) chunk += stride;

  load_rows<kDim, kFragmentRows, Shared::kThreads>(s.query, threadIdx.x, work, [&](int row) {
    const HeadRow own = group.at(work, row);
    return own.wanted ? work.query(own.head, own.row) : nullptr;
  });
  commit_copies();
  load_chunk(s.chunks[warp][0], keys, chunk);
  load_chunk(s.chunks[warp][1], values, chunk);
  wait_copies<2>();
  __syncthreads();  // the queries are there
  WarpRows<kDim> rows;
  int positions[2];
  float* products[2];  // null: not wanted
  QAQ_UNROLL
  for (int own = 0; own < 2; ++own) {
    const HeadRow at = group.at(work, rows.row(own));
    positions[own] = group.position + static_cast<int>(at.row);
    products[own] = work.scores && at.wanted ? work.scores_of(at.head, at.row) : nullptr;
  }

  for (; chunk < end_key; chunk += stride) {
    wait_copies<1>();
    __syncwarp();  // the keys are there
    Scores<kChunk> scores;
    score_keys<Half, kChunk, kDim>(
        [&](int part, unsigned(&to)[4]) { load_query<kDim>(s.query, part, to); }, s.chunks[warp][0],
        scores);
    __syncwarp();  // and read by all
    load_chunk(s.chunks[warp][0], keys, chunk + stride);
    hide_keys<kChunk>(scores,
                      [&](int own, int key) { return work.sees(positions[own], chunk + key); });
    QAQ_UNROLL
    for (int i = 0; i < kChunk / 8 * 2; ++i) {
      const int own = i % 2, key = chunk + rows.column(i / 2, 0);
      // Rows take whole fours of numbers: both or none are in it.
      if (!products[own] || key > positions[own]) continue;
      *reinterpret_cast<float2*>(products[own] + key) =
          make_float2(scores[i / 2][2 * own], scores[i / 2][2 * own + 1]);
    }
    weigh_keys<kChunk>(rows, work.scale, scores);
    wait_copies<1>();
    __syncwarp();  // the values are there
    mix_values<Half, kTerms, kChunk>(rows, s.chunks[warp][1], scores);
    __syncwarp();  // and read by all
    load_chunk(s.chunks[warp][1], values, chunk + stride);
  }
  wait_copies<0>();
  fold_warps(rows, s, work, group);
}

// resources: registers 40, shared 0, threads 128, blocks 16
template <class Half>
__global__ void __launch_bounds__(kCombineThreads) decode_combine(HalfWork work) {
  const std::int64_t head = work.part.first_head + blockIdx.x % work.part.n_heads;
  const std::int64_t row = work.part.first_row + blockIdx.x / work.part.n_heads;
  const int position = work.first_position() + static_cast<int>(row);
  const int first_split = work.first_key(position) / kSplit, last_split = position / kSplit;
  const Partials partials = partials_of(work, head, row);

  float base = -INFINITY, sum = 0;
  for (int split = first_split; split <= last_split; ++split) {
    base = fmaxf(base, partials.states[split].x);
  }
  for (int split = first_split; split <= last_split; ++split) {
    const float2 state = partials.states[split];
    sum = fmaf(state.y, rebased(state.x, base), sum);
  }
  const float factor = 1.0f / sum;

  const std::int64_t d = work.call.head_dim;
  HalfBits* out = static_cast<HalfBits*>(work.call.out) + (row * work.call.n_heads + head) * d;
  for (std::int64_t c = threadIdx.x; c < d; c += kCombineThreads) {
    float mixed = 0, none = 0;
    for (int split = first_split; split <= last_split; ++split) {
      mixed = fmaf(partials.mixed[split * d + c], rebased(partials.states[split].x, base), mixed);
    }
    mixed *= factor;
    out[c] = static_cast<HalfBits>(take_pair<Half>(mixed, none));
  }

  if (!work.scores) return;
  float* scores = work.scores_of(head, row);
  const int n = static_cast<int>(triangle_size(position, 1));
  for (int key = threadIdx.x; key < n; key += kCombineThreads) {
    scores[key] =
        work.sees(position, key) ? weight_of(scores[key], work.scale, base) * factor : 0.0f;
  }
}

std::int64_t n_splits_of(const HalfAttentionCall& call) {
  return (n_keys_at_most(call) + kSplit - 1) / kSplit;
}

template <class Half, int kDim>
cudaError_t launch_split(const HalfWork& work, cudaStream_t stream) {
  const std::int64_t of_head = work.call.n_heads / work.call.n_kv_heads;
  const std::int64_t n_groups = (of_head * work.part.n_rows + kFragmentRows - 1) / kFragmentRows;
  const std::int64_t n_kv_heads =
      (work.part.first_head + work.part.n_heads - 1) / of_head - work.part.first_head / of_head + 1;
  const dim3 grid(static_cast<unsigned>(n_groups), static_cast<unsigned>(n_kv_heads),
                  static_cast<unsigned>(work.n_splits));
  return launch(decode_split<Half, kDim>, grid, SplitShared<kDim>::kThreads, 0, stream, work);
}

}  // namespace

std::int64_t half_attention_workspace(const HalfAttentionCall& call) {
  if (call.n_rows > kDecodeRows) return 0;
  return call.n_heads * call.n_rows * n_splits_of(call) * (call.head_dim + 2);
}

cudaError_t attention_decode(const HalfAttentionCall& call, const AttentionPart& part,
                             float* scores, cudaStream_t stream) {
  if (part.n_heads == 0 || part.n_rows == 0) return cudaSuccess;
  if (!fits(call) || call.n_rows > kDecodeRows || !call.workspace) return cudaErrorInvalidValue;
  HalfWork work = half_work(call, part, scores);
  work.n_splits = n_splits_of(call);
  return with_kind(call, [&](auto kind) {
    using Half = typename decltype(kind)::Half;
    const cudaError_t status = launch_split<Half, decltype(kind)::kDim>(work, stream);
    if (status != cudaSuccess) return status;
    return launch(decode_combine<Half>, static_cast<unsigned>(part.n_heads * part.n_rows),
                  kCombineThreads, 0, stream, work);
  });
}

}  // namespace qaq::cuda
