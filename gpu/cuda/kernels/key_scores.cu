// page_scores: a warp a page, sixteen pages a block of 256, four query heads a block. Tokens are
// the rows of operand A, codes counted from the middle as exact halves; a head is two columns of B,
// its query as halves and what those leave out, scaled by a power of two. So a score is the sum of
// float32 products to within a few units in the last place. Scale and base come behind the product,
//   score = scale (q . codes) + middle (sum of q) + outliers,
// two lanes a token for the outliers, in order, even ones then odd ones. A last block takes the
// tail rows, a warp a score.
//
// Bytes a page: 2 bits head_dim of codes, in 16-byte pieces as far as a run has four words; 12 a
// token of side data; outliers; 4 a token and head of scores. Operations a code and plane: 0.53 (a
// bit) to 0.63 (four bits) of integers and half a one of halves; at 2 bits and full bandwidth there
// is time for 1.6.
//
// softmax_rows: a block of 256 a head; largest, sum (float64, in the order of positions) and
// quotient, a pass each over 4 bytes a position, of which the last two find them in the L2 cache.
#include <climits>
#include <cmath>

#include "gpu/cuda/kernels/key_scores.h"
#include "gpu/cuda/kernels/page_operands.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kHeads = kBlockHeads;
constexpr int kBlockPages = 16;

struct Work {
  KeyScoresCall call;
  int group = 0;   // query heads of a KV head
  int window = 0;  // tokens that the query sees
  float factor = 0;

  __device__ bool sees(int token) const {
    return token >= 0 && call.lengths->n_tokens - 1 - token < window;
  }
};

struct Shared {
  uint2 operands[kMaxPageDim / kChunkChannels][32];  // B of every chunk, as lanes hold it
  float query[kHeads][kMaxPageDim];
  float sums[kHeads];     // of a query
  int exponents[kHeads];  // of its largest number
};

__device__ void load_query(const Work& work, const BlockHeads& heads, Shared& s) {
  const PagedCache& cache = work.call.cache;
  for (int i = threadIdx.x; i < kHeads * kMaxPageDim; i += kThreads) {
    const int head = i / kMaxPageDim, c = i % kMaxPageDim;
    s.query[head][c] = head < heads.n && c < cache.head_dim
                           ? number_at(work.call.query, work.call.query_dtype,
                                       (heads.first + head) * cache.head_dim + c)
                           : 0.0f;
  }
  __syncthreads();
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  if (warp < kHeads) {
    double sum = 0;
    float largest = 0;
    for (int c = lane; c < kMaxPageDim; c += 32) {
      sum += static_cast<double>(s.query[warp][c]);
      largest = fmaxf(largest, fabsf(s.query[warp][c]));
    }
    sum = sum_of_warp(sum);
    largest = largest_of_warp(largest);
    if (lane == 0) {
      s.sums[warp] = static_cast<float>(sum);
      s.exponents[warp] = exponent_of(largest);
    }
  }
  __syncthreads();
  for (int i = threadIdx.x; i < page_chunks(cache.head_dim) * 32; i += kThreads) {
    const int column = i % 32 / 4, head = column / 2;
    const float* q = s.query[head] + i / 32 * kChunkChannels + 2 * (i % 4);
    const float power = power_of_two(kHalfTop - s.exponents[head]);
    const SplitPair low = split_pair(q[0] * power, q[1] * power);
    const SplitPair high = split_pair(q[8] * power, q[9] * power);
    s.operands[i / 32][i % 32] =
        column % 2 == 0 ? make_uint2(low.value, high.value) : make_uint2(low.rest, high.rest);
  }
  __syncthreads();
}

template <int kBits, int kChunks>
__device__ void multiply_run(const Run<kBits, kChunks>& run, const uint2 (*b)[32], float (&c)[4]) {
  repeat<kChunks>([&](auto chunk) { multiply_codes<chunk>(run, b[chunk][threadIdx.x % 32], c); });
}

// Products of the page's codes with four queries: of tokens lane / 4 and lane / 4 + 8 with query
// lane % 4, scaled.
template <int kMost>
__device__ void multiply_page(const PagedCache& cache, const std::uint32_t* words, int n_bits,
                              const uint2 (*operands)[32], float (&products)[2]) {
  float c[4] = {};
  const int n_chunks = page_chunks(cache.head_dim);
  with_bits<kMost>(n_bits, [&](auto bits) {
    constexpr int kBits = decltype(bits)::value;
    const auto run_at = [&](auto size, int chunk) {
      return Run<kBits, decltype(size)::value>(words + group_first(kBits, chunk / kGroupChunks));
    };
    constexpr std::integral_constant<int, kGroupChunks> kWhole{};
    int chunk = 0;
    if constexpr (kBits <= kFewBits) {
      // Both on their way before either is used.
      for (; chunk + 2 * kWhole <= n_chunks; chunk += 2 * kWhole) {
        const auto first = run_at(kWhole, chunk), second = run_at(kWhole, chunk + kWhole);
        multiply_run(first, operands + chunk, c);
        multiply_run(second, operands + chunk + kWhole, c);
      }
    }
    for (; chunk + kWhole <= n_chunks; chunk += kWhole) {
      multiply_run(run_at(kWhole, chunk), operands + chunk, c);
    }
    if (chunk < n_chunks) {
      multiply_run(run_at(std::integral_constant<int, 2>{}, chunk), operands + chunk, c);
    }
  });
  products[0] = c[0] + c[1];
  products[1] = c[2] + c[3];
}

// What outliers add to the products: of the same tokens and query as multiply_page().
__device__ void add_outliers(const PagedCache& cache, std::int64_t list, int bits, int token,
                             const RowGrid& grid, const Shared& s, float (&sums)[2]) {
  const int lane = threadIdx.x % 32;
  float parts[kHeads] = {};
  if (token >= 0) {
    const OutlierRun run = cache.outlier_runs[cache.token(list, token)];
    const float code_0 = value_of_code(cache.rule, grid, bits, 0);
    for (int i = lane % 2; i < run.n; i += 2) {
      const Outlier outlier = outlier_at(cache, list, run.first + i, code_0);
      QAQ_UNROLL
      for (int head = 0; head < kHeads; ++head) {
        parts[head] = fmaf(s.query[head][outlier.channel], outlier.more, parts[head]);
      }
    }
  }
  QAQ_UNROLL
  for (int head = 0; head < kHeads; ++head) {
    parts[head] += __shfl_xor_sync(~0u, parts[head], 1);
    const float low = __shfl_sync(~0u, parts[head], lane / 4 * 2);
    const float high = __shfl_sync(~0u, parts[head], lane / 4 * 2 + 16);
    if (lane % 4 == head) {
      sums[0] = low;
      sums[1] = high;
    }
  }
}

template <int kMost>
__device__ void score_page(const Work& work, const BlockHeads& heads, const Page& page,
                           const Shared& s) {
  const PagedCache& cache = work.call.cache;
  const int lane = threadIdx.x % 32;
  const std::int64_t rows = cache.place(heads.list, page.place) * kPageTokens;
  const int token = cache.tokens[rows + lane / 2];  // two lanes a token
  const unsigned seen = __ballot_sync(~0u, work.sees(token));
  if (seen == 0) return;
  const RowGrid grid = cache.grids[rows + lane / 2];
  float products[2], outliers[2] = {};
  multiply_page<kMost>(cache, cache.words(heads.list, page.place), page.bits, s.operands, products);
  if (cache.outlier_runs) {
    add_outliers(cache, heads.list, page.bits, token, grid, s, outliers);
  }
  const int head = lane % 4;
  const float back = power_of_two(s.exponents[head] - kHalfTop);
  QAQ_UNROLL
  for (int half = 0; half < 2; ++half) {
    const int from = lane / 4 * 2 + 16 * half;
    const int to = __shfl_sync(~0u, token, from);
    const float scale = __shfl_sync(~0u, grid.scale, from);
    const float base = __shfl_sync(~0u, grid.base, from);
    if (head >= heads.n || (seen >> from & 1u) == 0) continue;
    const float middle = fmaf(middle_step(cache.rule, page.bits), scale, base);
    const float sum =
        fmaf(scale, products[half] * back, fmaf(middle, s.sums[head], outliers[half]));
    work.call.scores[(heads.first + head) * work.call.score_stride + to] = sum * work.factor;
  }
}

// A warp a score.
__device__ void score_tail(const Work& work, const BlockHeads& heads, const Shared& s) {
  const PagedCache& cache = work.call.cache;
  const int lane = threadIdx.x % 32;
  const int first = work.call.lengths->n_packed, n = work.call.lengths->n_tokens - first;
  for (int i = threadIdx.x / 32; i < n * kHeads; i += kWarps) {
    const int row = i / kHeads, head = i % kHeads;
    if (head >= heads.n || !work.sees(first + row)) continue;
    const std::int64_t at = (heads.list * work.call.tail_stride + row) * cache.head_dim;
    float sum = 0;
    for (int c = lane; c < cache.head_dim; c += 32) {
      sum = fmaf(s.query[head][c], number_at(work.call.tail, cache.dtype, at + c), sum);
    }
    sum = sum_of_warp(sum);
    if (lane == 0) {
      work.call.scores[(heads.first + head) * work.call.score_stride + first + row] =
          sum * work.factor;
    }
  }
}

// resources: registers 64, shared 8224, threads 256, blocks 4
template <int kMost>
__global__ void __launch_bounds__(kThreads, kMost <= kFewBits ? 5 : 4)
    page_scores(Work work, int n_blocks) {
  Shared& s = block_shared<Shared>();
  const BlockHeads heads = heads_of_block(work.call.first_list, work.group);
  const bool is_tail = blockIdx.x == static_cast<unsigned>(n_blocks);
  const int n_pages = work.call.cache.states[heads.list].n_pages;
  const int first = static_cast<int>(blockIdx.x) * kBlockPages;
  if (!is_tail && first >= n_pages) return;
  const int end = is_tail ? 0 : min(first + kBlockPages, n_pages);
  const Page* pages = work.call.cache.pages + work.call.cache.place(heads.list, 0);
  int k = first + static_cast<int>(threadIdx.x) / 32;
  // A page is asked for while there is other work: the query, or the page before.
  Page next = k < end ? pages[k] : Page{};
  load_query(work, heads, s);
  if (is_tail) score_tail(work, heads, s);
  for (; k < end; k += kWarps) {
    const Page page = next;
    if (k + kWarps < end) next = pages[k + kWarps];
    score_page<kMost>(work, heads, page, s);
  }
}

struct RowShared {
  float largest[kWarps];
  double sums[kWarps];
};

// resources: registers 48, shared 96, threads 256, blocks 8
__global__ void __launch_bounds__(kThreads) softmax_rows(Work work) {
  RowShared& s = block_shared<RowShared>();
  const PagedCache& cache = work.call.cache;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int n_tokens = work.call.lengths->n_tokens, n_packed = work.call.lengths->n_packed;
  const std::uint8_t* held =
      cache.held + cache.token(work.call.first_list + blockIdx.x / work.group, 0);
  float* row = work.call.scores + blockIdx.x * work.call.score_stride;
  const auto sees = [&](int t) { return work.sees(t) && (t >= n_packed || held[t] != kInNoPage); };

  float largest = -INFINITY;
  for (int t = threadIdx.x; t < n_tokens; t += kThreads) {
    if (sees(t)) largest = fmaxf(largest, row[t]);
  }
  largest = largest_of_warp(largest);
  if (lane == 0) s.largest[warp] = largest;
  __syncthreads();
  for (const float of_warp : s.largest) largest = fmaxf(largest, of_warp);

  double sum = 0;
  for (int t = threadIdx.x; t < n_tokens; t += kThreads) {
    const float weight = sees(t) ? expf(row[t] - largest) : 0.0f;
    row[t] = weight;
    sum += static_cast<double>(weight);
  }
  sum = sum_of_warp(sum);
  if (lane == 0) s.sums[warp] = sum;
  __syncthreads();
  sum = 0;
  for (const double of_warp : s.sums) sum += of_warp;
  const auto factor = static_cast<float>(1.0 / sum);
  for (int t = threadIdx.x; t < n_tokens; t += kThreads) row[t] *= factor;
}

bool fits(const KeyScoresCall& call) {
  return fits(call.cache) && call.n_heads % call.cache.n_kv_heads == 0 && call.first_list >= 0 &&
         call.first_list + call.cache.n_kv_heads <= call.cache.n_lists &&
         call.max_pages <= call.cache.max_pages;
}

Work work_of(const KeyScoresCall& call) {
  Work work{call};
  work.group = static_cast<int>(call.n_heads / call.cache.n_kv_heads);
  work.window = call.window == 0 || call.window > INT_MAX ? INT_MAX : static_cast<int>(call.window);
  work.factor = static_cast<float>(1.0 / std::sqrt(static_cast<double>(call.cache.head_dim)));
  return work;
}

}  // namespace

cudaError_t key_scores(const KeyScoresCall& call, cudaStream_t stream) {
  if (call.n_heads == 0) return cudaSuccess;
  if (!fits(call)) return cudaErrorInvalidValue;
  const Work work = work_of(call);
  const int n_blocks = (call.max_pages + kBlockPages - 1) / kBlockPages;
  const dim3 grid = grid_of_heads(n_blocks + 1, call.cache.n_kv_heads, work.group);
  const auto kernel =
      call.cache.max_bits <= kFewBits ? page_scores<kFewBits> : page_scores<kMaxBits>;
  return launch(kernel, grid, kThreads, 0, stream, work, n_blocks);
}

cudaError_t softmax_scores(const KeyScoresCall& call, cudaStream_t stream) {
  if (call.n_heads == 0) return cudaSuccess;
  if (!fits(call)) return cudaErrorInvalidValue;
  return launch(softmax_rows, static_cast<unsigned>(call.n_heads), kThreads, 0, stream,
                work_of(call));
}

}  // namespace qaq::cuda
