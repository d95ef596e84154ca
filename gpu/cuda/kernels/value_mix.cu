// mix_pages: 32 pages a block of 256, four query heads. Channels are the rows of operand A, the
// page's tokens its columns; a head's weights p * scale are two columns of B, as halves and what
// those leave out, scaled by the power of two of the largest of the block, so that sums run on from
// page to page on the tensor cores. First a thread makes the weights of two slots,
// while the codes of pages that weigh anything are on their way to the L2 cache; then a warp
// takes every so many'th page of one group of 64 channels, and passes over pages that weigh
// nothing. Scale and base come apart:
//   sum of p value = sum of (p scale) code + sum of p middle + outliers.
// Outliers are added in shared memory as whole numbers, 2^-40 of the block's largest, so that their
// order does not matter. Warps are folded in order; a last block takes the tail; mix_splits adds
// the blocks in order.
//
// Bytes a page: 2 bits head_dim of codes in 16-byte pieces as far as a run has four words, 12 a
// token of side data, outliers twice (the second time from the cache); 4 a token and head of
// probability.
#include "gpu/cuda/kernels/page_operands.h"
#include "gpu/cuda/kernels/value_mix.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kHeads = kBlockHeads;
constexpr int kSplitPages = 32;
constexpr int kSlots = kSplitPages * kPageTokens / kThreads;  // a thread
constexpr int kOutlierBits = 40;

struct Work {
  ValueMixCall call;
  int group = 0;     // query heads of a KV head
  int n_splits = 0;  // of the launch
};

struct Shared {
  union {
    uint2 weights[kSplitPages][32];  // B of every page, as lanes hold it
    float mixed[kWarps][kHeads][kGroupChannels];
  };
  Page pages[kSplitPages];
  unsigned long long outliers[kHeads][kMaxPageDim];
  float largest[kWarps][kHeads];
  float middles[kWarps][kHeads];
  float largest_outlier[kWarps];
  int exponents[kHeads];  // of the largest weight
  int outlier_exponent;
};

// A slot of the block's pages, as the thread that makes its weights knows it.
struct Slot {
  int token = -1;
  Page page;
  RowGrid grid;
  float p[kHeads] = {};
};
__device__ Slot load_slot(const Work& work, const BlockHeads& heads, int k, int slot) {
  const PagedCache& cache = work.call.cache;
  Slot out;
  if (k >= cache.states[heads.list].n_pages) return out;
  out.page = cache.pages[cache.place(heads.list, k)];
  const std::int64_t at = cache.place(heads.list, out.page.place) * kPageTokens + slot;
  out.token = cache.tokens[at];
  if (out.token < 0) return out;
  out.grid = cache.grids[at];
  QAQ_UNROLL
  for (int head = 0; head < kHeads; ++head) {
    if (head < heads.n) {
      out.p[head] =
          work.call.probability[(heads.first + head) * work.call.score_stride + out.token];
    }
  }
  return out;
}

__device__ float largest_weight(const Slot& slot) {
  float p = 0;
  QAQ_UNROLL
  for (const float of_head : slot.p) p = fmaxf(p, of_head);
  return p;
}

// Has the codes of a page that weighs anything brought near, by the threads of its slots.
__device__ void fetch_page(const PagedCache& cache, std::int64_t list, const Slot& slot, int at) {
  const unsigned weigh = __ballot_sync(~0u, largest_weight(slot) > 0.0f);
  const int first_lane = static_cast<int>(threadIdx.x) % 32 / kPageTokens * kPageTokens;
  if ((weigh >> first_lane & ((1u << kPageTokens) - 1)) == 0) return;
  const std::uint32_t* words = cache.words(list, slot.page.place);
  const int n_lines = page_words(slot.page.bits, cache.head_dim) / 32;
  for (int line = at; line < n_lines; line += kPageTokens) fetch_line(words + 32 * line);
}

// body(channel, how far a value lies from what its code says) for the outliers of a slot.
template <class Body>
__device__ void for_outliers(const PagedCache& cache, std::int64_t list, const Slot& slot,
                             const Body& body) {
  if (slot.token < 0) return;
  const OutlierRun run = cache.outlier_runs[cache.token(list, slot.token)];
  const float code_0 = value_of_code(cache.rule, slot.grid, slot.page.bits, 0);
  for (int i = 0; i < run.n; ++i) {
    const Outlier outlier = outlier_at(cache, list, run.first + i, code_0);
    body(outlier.channel, outlier.more);
  }
}

// Adds what outliers of all slots have more than their codes say.
__device__ void add_outliers(const PagedCache& cache, std::int64_t list,
                             const Slot (&slots)[kSlots], Shared& s) {
  for (int i = threadIdx.x; i < kHeads * kMaxPageDim; i += kThreads) {
    s.outliers[i / kMaxPageDim][i % kMaxPageDim] = 0;
  }
  float largest = 0;
  QAQ_UNROLL
  for (const Slot& slot : slots) {
    const float p = largest_weight(slot);
    for_outliers(cache, list, slot,
                 [&](int, float more) { largest = fmaxf(largest, p * fabsf(more)); });
  }
  largest = largest_of_warp(largest);
  if (threadIdx.x % 32 == 0) s.largest_outlier[threadIdx.x / 32] = largest;
  __syncthreads();
  for (const float of_warp : s.largest_outlier) largest = fmaxf(largest, of_warp);
  const int exponent = exponent_of(largest);
  if (threadIdx.x == 0) s.outlier_exponent = exponent;
  const float power = power_of_two(kOutlierBits - exponent);
  QAQ_UNROLL
  for (const Slot& slot : slots) {
    for_outliers(cache, list, slot, [&](int channel, float more) {
      QAQ_UNROLL
      for (int head = 0; head < kHeads; ++head) {
        const auto whole = static_cast<long long>(slot.p[head] * more * power);
        atomicAdd(&s.outliers[head][channel], static_cast<unsigned long long>(whole));
      }
    });
  }
}

// Puts the weights of a slot where the lanes of operand B find them.
__device__ void store_weights(const Slot& slot, int page, int at, Shared& s) {
  auto* halves = reinterpret_cast<__half*>(s.weights[page]);
  QAQ_UNROLL
  for (int head = 0; head < kHeads; ++head) {
    const float weight =
        slot.p[head] * slot.grid.scale * power_of_two(kHalfTop - s.exponents[head]);
    const __half value = __float2half_rn(weight);
    const __half rest = __float2half_rn(weight - __half2float(value));
    // Lane 4 * column + at % 8 / 2, word at / 8, half at % 2.
    const int lane = 4 * (2 * head) + at % 8 / 2, place = at / 8 * 2 + at % 2;
    halves[4 * lane + place] = value;
    halves[4 * (lane + 4) + place] = rest;
  }
}

template <int kBits, int kChunks>
__device__ void mix_run(const Run<kBits, kChunks>& run, const uint2& weights,
                        float (&c)[kGroupChunks][4]) {
  repeat<kChunks>([&](auto chunk) { multiply_codes<chunk>(run, weights, c[chunk]); });
}

// Sums of a group's channels over the warp's pages, into s.mixed[warp].
template <int kMost>
__device__ void mix_group(const Work& work, std::int64_t list, Shared& s) {
  const PagedCache& cache = work.call.cache;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int n_groups = page_groups(cache.head_dim), group = warp % n_groups;
  const int n_together = kWarps / n_groups, together = warp / n_groups;
  const int chunks = group_chunks(cache.head_dim, group);
  const int first = static_cast<int>(blockIdx.x) * kSplitPages;
  const int n_pages = min(kSplitPages, cache.states[list].n_pages - first);
  float c[kGroupChunks][4] = {};
  for (int i = together; i < n_pages && together < n_together; i += n_together) {
    const uint2 weights = s.weights[i][lane];
    if (!__any_sync(~0u, (weights.x | weights.y) != 0)) continue;
    const Page page = s.pages[i];
    const std::uint32_t* words = cache.words(list, page.place);
    with_bits<kMost>(page.bits, [&](auto bits) {
      constexpr int kBits = decltype(bits)::value;
      const std::uint32_t* of_group = words + group_first(kBits, group);
      if (chunks == kGroupChunks) {
        mix_run(Run<kBits, kGroupChunks>(of_group), weights, c);
      } else {
        mix_run(Run<kBits, 2>(of_group), weights, c);
      }
    });
  }
  __syncthreads();  // all are done with the weights, in whose place the sums go
  QAQ_UNROLL
  for (int chunk = 0; chunk < kGroupChunks; ++chunk) {
    float* to = s.mixed[warp][lane % 4] + chunk * kChunkChannels + lane / 4;
    to[0] = c[chunk][0] + c[chunk][1];
    to[8] = c[chunk][2] + c[chunk][3];
  }
}

__device__ float* partial_of(const Work& work, const BlockHeads& heads, int head) {
  return work.call.workspace +
         (blockIdx.x * work.call.n_heads + heads.first + head) * work.call.cache.head_dim;
}

__device__ void mix_tail(const Work& work, const BlockHeads& heads) {
  const PagedCache& cache = work.call.cache;
  const int first = work.call.lengths->n_packed, n = work.call.lengths->n_tokens - first;
  const std::int64_t rows = heads.list * work.call.tail_stride * cache.head_dim;
  for (int i = threadIdx.x; i < heads.n * cache.head_dim; i += kThreads) {
    const int head = i / cache.head_dim, channel = i % cache.head_dim;
    const float* p = work.call.probability + (heads.first + head) * work.call.score_stride + first;
    float sum = 0;
    for (int row = 0; row < n; ++row) {
      const std::int64_t at = rows + static_cast<std::int64_t>(row) * cache.head_dim + channel;
      sum = fmaf(p[row], number_at(work.call.tail, cache.dtype, at), sum);
    }
    partial_of(work, heads, head)[channel] = sum;
  }
}

// resources: registers 128, shared 16952, threads 256, blocks 2
template <int kMost>
__global__ void __launch_bounds__(kThreads, kMost <= kFewBits ? 3 : 2) mix_pages(Work work) {
  Shared& s = block_shared<Shared>();
  const PagedCache& cache = work.call.cache;
  const BlockHeads heads = heads_of_block(work.call.first_list, work.group);
  if (blockIdx.x == static_cast<unsigned>(work.n_splits)) {
    mix_tail(work, heads);
    return;
  }
  const int first = static_cast<int>(blockIdx.x) * kSplitPages;
  if (first >= cache.states[heads.list].n_pages) return;

  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int page = threadIdx.x / kPageTokens, at = threadIdx.x % kPageTokens;
  Slot slots[kSlots];
  QAQ_UNROLL
  for (int i = 0; i < kSlots; ++i) {
    const int of_block = page + i * (kSplitPages / kSlots);
    slots[i] = load_slot(work, heads, first + of_block, at);
    if (at == 0) s.pages[of_block] = slots[i].page;
    fetch_page(cache, heads.list, slots[i], at);
  }
  if (cache.outlier_runs) add_outliers(cache, heads.list, slots, s);

  QAQ_UNROLL
  for (int head = 0; head < kHeads; ++head) {
    float largest = 0, middle = 0;
    QAQ_UNROLL
    for (const Slot& slot : slots) {
      largest = fmaxf(largest, slot.p[head] * slot.grid.scale);
      const float value =
          fmaf(middle_step(cache.rule, slot.page.bits), slot.grid.scale, slot.grid.base);
      middle = fmaf(slot.p[head], value, middle);
    }
    largest = largest_of_warp(largest);
    middle = sum_of_warp(middle);
    if (lane == 0) {
      s.largest[warp][head] = largest;
      s.middles[warp][head] = middle;
    }
  }
  __syncthreads();
  if (threadIdx.x < kHeads) {
    float largest = 0;
    for (int w = 0; w < kWarps; ++w) largest = fmaxf(largest, s.largest[w][threadIdx.x]);
    s.exponents[threadIdx.x] = exponent_of(largest);
  }
  __syncthreads();
  QAQ_UNROLL
  for (int i = 0; i < kSlots; ++i) {
    store_weights(slots[i], page + i * (kSplitPages / kSlots), at, s);
  }
  __syncthreads();
  mix_group<kMost>(work, heads.list, s);
  __syncthreads();

  const int n_groups = page_groups(cache.head_dim), n_together = kWarps / n_groups;
  QAQ_UNROLL
  for (int head = 0; head < kHeads; ++head) {
    if (head >= heads.n) continue;
    float middle = 0;
    for (int w = 0; w < kWarps; ++w) middle += s.middles[w][head];
    for (int channel = threadIdx.x; channel < cache.head_dim; channel += kThreads) {
      float sum = 0;
      for (int i = 0; i < n_together; ++i) {
        sum += s.mixed[i * n_groups + channel / kGroupChannels][head][channel % kGroupChannels];
      }
      sum = fmaf(sum, power_of_two(s.exponents[head] - kHalfTop), middle);
      if (cache.outlier_runs) {
        const auto whole = static_cast<long long>(s.outliers[head][channel]);
        sum = fmaf(static_cast<float>(whole), power_of_two(s.outlier_exponent - kOutlierBits), sum);
      }
      partial_of(work, heads, head)[channel] = sum;
    }
  }
}

// Adds what the blocks made: a thread a number.
// resources: registers 40, shared 0, threads 256, blocks 8
template <class T>
__global__ void __launch_bounds__(kThreads) mix_splits(Work work) {
  const ValueMixCall& call = work.call;
  const std::int64_t n = call.n_heads * call.cache.head_dim;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= n) return;
  const std::int64_t list = call.first_list + i / call.cache.head_dim / work.group;
  const int n_pages = call.cache.states[list].n_pages;
  float sum = 0;
  for (int split = 0; split * kSplitPages < n_pages; ++split) sum += call.workspace[split * n + i];
  sum += call.workspace[work.n_splits * n + i];
  if (call.out) call.out[i] = sum;
  if (call.rounded_out) static_cast<T*>(call.rounded_out)[i] = from_float<T>(sum);
}

Work work_of(const ValueMixCall& call) {
  return {call, static_cast<int>(call.n_heads / call.cache.n_kv_heads),
          (call.max_pages + kSplitPages - 1) / kSplitPages};
}

}  // namespace

std::int64_t value_mix_workspace(const ValueMixCall& call) {
  return (work_of(call).n_splits + 1) * call.n_heads * call.cache.head_dim;
}

cudaError_t value_mix(const ValueMixCall& call, cudaStream_t stream) {
  if (call.n_heads == 0) return cudaSuccess;
  if (!fits(call.cache) || call.n_heads % call.cache.n_kv_heads != 0 || call.first_list < 0 ||
      call.first_list + call.cache.n_kv_heads > call.cache.n_lists ||
      call.max_pages > call.cache.max_pages) {
    return cudaErrorInvalidValue;
  }
  const Work work = work_of(call);
  const dim3 grid = grid_of_heads(work.n_splits + 1, call.cache.n_kv_heads, work.group);
  const auto kernel = call.cache.max_bits <= kFewBits ? mix_pages<kFewBits> : mix_pages<kMaxBits>;
  const cudaError_t status = launch(kernel, grid, kThreads, 0, stream, work);
  if (status != cudaSuccess) return status;
  const std::int64_t n = call.n_heads * call.cache.head_dim;
  return with_type(call.rounded_dtype, [&](auto type) {
    return launch(mix_splits<typename decltype(type)::type>,
                  static_cast<unsigned>((n + kThreads - 1) / kThreads), kThreads, 0, stream, work);
  });
}

}  // namespace qaq::cuda
