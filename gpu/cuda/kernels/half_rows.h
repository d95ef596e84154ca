// What a warp does with sixteen rows of queries on the tensor cores: scores of some keys, softmax
// as it goes, values mixed. attention_prefill and attention_decode are made of it.
//
// Sums of a row depend on the order and the number of the keys alone: rows of a fragment do not
// touch each other. Exponentials are powers of two; those of a row count from its `base`, which is
// kHeadroom below the largest exponent so far, so that weights go up to 2^kHeadroom and small ones
// are not lost to __half's smallest numbers.
#pragma once

#include <climits>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "gpu/cuda/kernels/half_attention.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/kernels/triangle.h"
#include "gpu/cuda/portable.h"

// Before a loop of copies: all their addresses at once would take the registers that sums need.
#ifdef __CUDACC__
#define QAQ_UNROLL_TWICE _Pragma("unroll 2")
#else
#define QAQ_UNROLL_TWICE
#endif

namespace qaq::cuda {

using HalfBits = unsigned short;  // a number of either type

inline constexpr int kPiece = 8;  // numbers of 16 bytes
inline constexpr int kFragmentRows = 16;
inline constexpr float kHeadroom = 8;
inline constexpr int kMaxHalfDim = 256;
inline constexpr int kSplit = 256;  // keys of a block of attention_decode
inline constexpr std::int64_t kMaxHalfKeys = std::int64_t{65535} * kSplit;  // a grid's depth

// Rows in shared memory are a piece longer than kDim: eight of them lie in different banks.
template <int kDim>
using HalfRow = HalfBits[kDim + kPiece];

// What a launch computes.
struct HalfWork {
  HalfAttentionCall call;
  AttentionPart part;
  float* scores = nullptr;    // or null
  std::int64_t n_splits = 0;  // of the workspace
  unsigned window = 0;        // keys that a row sees; 2^31 - 1: all of them
  float scale = 0;            // from a product of query and key to an exponent of two
  bool aligned = false;       // rows begin at multiples of 16 bytes and end so

  // Positions and keys are below 2^31; offsets are made in 64 bits.
  __device__ int first_position() const {
    return static_cast<int>(call.position ? *call.position : call.first_position);
  }
  __device__ int first_key(int position) const {
    return max(0, position + 1 - static_cast<int>(window));
  }
  // False for keys behind the position too: negative numbers are above any window.
  __device__ bool sees(int position, int key) const {
    return static_cast<unsigned>(position - key) < window;
  }
  // Where a KV head lies in keys or values.
  __device__ const HalfBits* cache(const void* numbers, std::int64_t kv_head) const {
    return static_cast<const HalfBits*>(numbers) + kv_head * call.cache_stride * call.head_dim;
  }
  __device__ const HalfBits* query(std::int64_t head, std::int64_t row) const {
    return static_cast<const HalfBits*>(call.query) +
           (head * call.query_stride + row) * call.head_dim;
  }
  __device__ float* scores_of(std::int64_t head, std::int64_t row) const {
    const std::int64_t first = first_position() + part.first_row;
    return scores + (head - part.first_head) * triangle_size(first, part.n_rows) +
           triangle_size(first, row - part.first_row);
  }
};

inline std::int64_t n_keys_at_most(const HalfAttentionCall& call) {
  return call.position ? call.max_keys : call.first_position + call.n_rows;
}

inline bool fits(const HalfAttentionCall& call) {
  return call.dtype != DType::f32 && call.head_dim >= 1 && call.head_dim <= kMaxHalfDim &&
         call.n_kv_heads >= 1 && call.n_heads % call.n_kv_heads == 0 &&
         n_keys_at_most(call) >= call.n_rows && n_keys_at_most(call) <= kMaxHalfKeys;
}

inline HalfWork half_work(const HalfAttentionCall& call, const AttentionPart& part, float* scores) {
  HalfWork work{call, part, scores};
  work.window =
      call.window == 0 || call.window > kMaxHalfKeys ? INT_MAX : static_cast<unsigned>(call.window);
  work.scale =
      static_cast<float>(1.4426950408889634 / std::sqrt(static_cast<double>(call.head_dim)));
  // As if they were half as many floats.
  work.aligned = call.head_dim % kPiece == 0 &&
                 in_whole_quads(call.head_dim / 2, {call.query, call.key, call.value, call.out});
  return work;
}

/// A type and the channels that kernels are compiled for.
template <class T, int kChannels>
struct HalfKind {
  using Half = T;
  static constexpr int kDim = kChannels;
};
template <class T, class Body>
cudaError_t with_dim(std::int64_t head_dim, const Body& body) {
  if (head_dim <= 64) return body(HalfKind<T, 64>{});
  if (head_dim <= 96) return body(HalfKind<T, 96>{});
  if (head_dim <= 128) return body(HalfKind<T, 128>{});
  return body(HalfKind<T, kMaxHalfDim>{});
}
/// body(HalfKind) of a call's type and the fewest channels that hold its head_dim.
template <class Body>
cudaError_t with_kind(const HalfAttentionCall& call, const Body& body) {
  return call.dtype == DType::f16 ? with_dim<__half>(call.head_dim, body)
                                  : with_dim<__nv_bfloat16>(call.head_dim, body);
}

/// Rows to shared memory, by `thread` of kThreads. row_at(row): where its head_dim numbers are, or
/// null for zeros; zeros behind head_dim. There after wait_copies and a barrier.
template <int kDim, int kRows, int kThreads, class RowAt>
__device__ void load_rows(HalfRow<kDim>* to, int thread, const HalfWork& work,
                          const RowAt& row_at) {
  constexpr int kPieces = kDim / kPiece, kPlaces = kRows * kPieces;
  const int d = static_cast<int>(work.call.head_dim);
  QAQ_UNROLL_TWICE
  for (int i = 0; i < (kPlaces + kThreads - 1) / kThreads; ++i) {
    const int place = i * kThreads + thread;
    if (kPlaces % kThreads != 0 && place >= kPlaces) break;
    const int row = place / kPieces, first = place % kPieces * kPiece;
    const HalfBits* from = row_at(row);
    if (work.aligned) {
      copy_async(&to[row][first], from && first < d ? from + first : nullptr);
    } else {
      for (int c = first; c < first + kPiece; ++c) {
        to[row][c] = from && c < d ? from[c] : HalfBits{0};
      }
    }
  }
}

/// What a warp has mixed for sixteen rows. A lane's are lane / 4 and lane / 4 + 8; of every eight
/// keys or channels it has 2 (lane % 4) and the next.
template <int kDim>
struct WarpRows {
  float mixed[kDim / 8][4];  ///< sums of weight * value: two channels of either row
  float base[2];             ///< -infinity: no key so far
  float sums[2];             ///< of the weights of the lane's own keys

  static __device__ int row(int own) { return static_cast<int>(threadIdx.x) % 32 / 4 + 8 * own; }
  static __device__ int column(int eight, int i) {
    return 8 * eight + 2 * (static_cast<int>(threadIdx.x) % 4) + i;
  }

  __device__ WarpRows() {
    QAQ_UNROLL
    for (float(&sum)[4] : mixed) sum[0] = sum[1] = sum[2] = sum[3] = 0;
    base[0] = base[1] = -INFINITY;
    sums[0] = sums[1] = 0;
  }
};

/// Sixteen channels of the warp's rows of queries, from shared memory.
template <int kDim>
__device__ void load_query(const HalfRow<kDim>* rows, int chunk, unsigned (&to)[4]) {
  const int lane = threadIdx.x % 32;
  load_matrices<false>(to, &rows[lane % 16][16 * chunk + 8 * (lane / 16)]);
}

/// Of either row with eight keys each: [keys / 8][2 * row + i].
template <int kKeys>
using Scores = float[kKeys / 8][4];

/// query_of(chunk, to): as load_query.
template <class Half, int kKeys, int kDim, class QueryOf>
__device__ void score_keys(const QueryOf& query_of, const HalfRow<kDim>* keys,
                           Scores<kKeys>& scores) {
  const int lane = threadIdx.x % 32;
  QAQ_UNROLL
  for (float(&score)[4] : scores) score[0] = score[1] = score[2] = score[3] = 0;
  QAQ_UNROLL
  for (int chunk = 0; chunk < kDim / 16; ++chunk) {
    unsigned query[4];
    query_of(chunk, query);
    QAQ_UNROLL
    for (int i = 0; i < kKeys / 16; ++i) {
      unsigned k[4];
      load_matrices<false>(
          k, &keys[16 * i + 8 * (lane / 16) + lane % 8][16 * chunk + 8 * (lane / 8 % 2)]);
      multiply_add<Half>(scores[2 * i], query, {k[0], k[1]});
      multiply_add<Half>(scores[2 * i + 1], query, {k[2], k[3]});
    }
  }
}

/// sees(own, key): whether the lane's row sees a key, counted from the first of the scores.
template <int kKeys, class Sees>
__device__ void hide_keys(Scores<kKeys>& scores, const Sees& sees) {
  QAQ_UNROLL
  for (int eight = 0; eight < kKeys / 8; ++eight) {
    QAQ_UNROLL
    for (int i = 0; i < 4; ++i) {
      const int key = WarpRows<16>::column(eight, i % 2);
      if (!sees(i / 2, key)) scores[eight][i] = -INFINITY;
    }
  }
}

/// What a weight whose base was `base` has to be multiplied by.
__device__ inline float rebased(float base, float to) {
  return exp2f(base - (to == -INFINITY ? 0.0f : to));
}

/// 2^(scale * product - base), of a row that sees the key.
__device__ inline float weight_of(float product, float scale, float base) {
  return exp2f(fmaf(product, scale, -base));
}

/// Scores become weights; what was mixed before follows a new base.
template <int kKeys, int kDim>
__device__ void weigh_keys(WarpRows<kDim>& rows, float scale, Scores<kKeys>& scores) {
  QAQ_UNROLL
  for (int own = 0; own < 2; ++own) {
    float largest = -INFINITY;
    QAQ_UNROLL
    for (const float(&score)[4] : scores) {
      largest = fmaxf(largest, fmaxf(score[2 * own], score[2 * own + 1]));
    }
    largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, 1));
    largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, 2));
    const float base = fmaxf(rows.base[own], fmaf(largest, scale, -kHeadroom));
    const float factor = rebased(rows.base[own], base);
    rows.base[own] = base;
    const float from = base == -INFINITY ? 0.0f : base;
    float sum = 0;  // of these alone first: the longer a sum, the coarser its steps
    QAQ_UNROLL
    for (float(&score)[4] : scores) {
      QAQ_UNROLL
      for (int i = 2 * own; i < 2 * own + 2; ++i) {
        score[i] = weight_of(score[i], scale, from);
        sum += score[i];
      }
    }
    rows.sums[own] = fmaf(rows.sums[own], factor, sum);
    QAQ_UNROLL
    for (float(&channels)[4] : rows.mixed) {
      channels[2 * own] *= factor;
      channels[2 * own + 1] *= factor;
    }
  }
}

/// Two numbers rounded to Half, as a word; what is lost stays behind.
template <class Half>
__device__ unsigned take_pair(float& first, float& second) {
  unsigned word;
  if constexpr (std::is_same_v<Half, __half>) {
    const __half2 pair = __floats2half2_rn(first, second);
    first -= __low2float(pair);
    second -= __high2float(pair);
    std::memcpy(&word, &pair, sizeof word);
  } else {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(first, second);
    first -= __low2float(pair);
    second -= __high2float(pair);
    std::memcpy(&word, &pair, sizeof word);
  }
  return word;
}

/// mixed += weights * values. A weight is taken as kTerms numbers of 16 bits: one of __half leaves
/// 2^-12 of it out, two 2^-23; one of __nv_bfloat16 2^-9, three nothing.
template <class Half, int kTerms, int kKeys, int kDim>
__device__ void mix_values(WarpRows<kDim>& rows, const HalfRow<kDim>* values,
                           Scores<kKeys>& weights) {
  const int lane = threadIdx.x % 32;
  QAQ_UNROLL
  for (int chunk = 0; chunk < kKeys / 16; ++chunk) {
    unsigned terms[kTerms][4];
    QAQ_UNROLL
    for (unsigned(&term)[4] : terms) {
      QAQ_UNROLL
      for (int i = 0; i < 4; ++i) {
        float(&pairs)[4] = weights[2 * chunk + i / 2];
        term[i] = take_pair<Half>(pairs[2 * (i % 2)], pairs[2 * (i % 2) + 1]);
      }
    }
    QAQ_UNROLL
    for (int i = 0; i < kDim / 16; ++i) {
      unsigned v[4];
      load_matrices<true>(v, &values[16 * chunk + lane % 16][16 * i + 8 * (lane / 16)]);
      QAQ_UNROLL
      for (const unsigned(&term)[4] : terms) {
        multiply_add<Half>(rows.mixed[2 * i], term, {v[0], v[1]});
        multiply_add<Half>(rows.mixed[2 * i + 1], term, {v[2], v[3]});
      }
    }
  }
}

/// The sum of a row's weights, from the four lanes that share it.
__device__ inline float sum_of_lanes(float sum) {
  sum += __shfl_xor_sync(~0u, sum, 1);
  return sum + __shfl_xor_sync(~0u, sum, 2);
}

}  // namespace qaq::cuda
