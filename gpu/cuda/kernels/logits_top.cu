// A block of 512 a row, which walks over it twice. First it finds the largest number of each
// thread: the k-th largest of these is a bound that at least k numbers of the row reach, and few
// more (68 are expected at k = 64). Then it sums the exponentials, and keeps in shared memory which
// numbers reach the bound. The k-th largest among them is found exactly, by 8-bit digits of keys in
// the order of floats; of those equal to it the lower ids are kept, found by digits of the ids.
// Where so many are equal that the candidates have no room, the digits are counted over the row
// itself.
//
// A thread has quads t, t + 512, ... and adds float64 in their order; a warp folds by shuffles, one
// thread folds the warps in order. Bytes: 4 a number, the floor; the second walk finds the row in
// the L2 cache. Four loads of 16 bytes a thread are on their way at a time.
#include <cfloat>

#include "gpu/cuda/kernels/logits_top.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 512;
constexpr int kWarps = kThreads / 32;
constexpr int kDigitBits = 8;
constexpr int kBins = 1 << kDigitBits;
constexpr unsigned kMostCandidates = 1024;
constexpr unsigned kLast = ~0u;  // behind every key and every id

// Ordered as a summary is: larger logits first, of equal ones the lower id.
struct Candidate {
  unsigned key;
  unsigned id;

  __device__ bool before(const Candidate& other) const {
    return key < other.key || (key == other.key && id < other.id);
  }
};

// A number that was asked for by its rank.
struct Found {
  unsigned number;
  unsigned rank;     // its rank among those equal to it, 1-based
  unsigned n_equal;  // how many those are
};

struct Shared {
  unsigned counts[kBins];
  Candidate candidates[kMostCandidates];
  Candidate best[kMostTopLogits];
  Found found;
  unsigned n_candidates;
  unsigned n_best;
  unsigned warp_keys[kWarps];
  double warp_sums[kWarps];
};

// Unsigned numbers in the order of floats from the largest down; both zeros have one.
__device__ unsigned key_of(float x) {
  const unsigned bits = __float_as_uint(x + 0.0f);
  return (bits & 0x80000000u) != 0 ? bits : bits ^ 0x7fffffffu;
}
__device__ float from_key(unsigned key) {
  return __uint_as_float((key & 0x80000000u) != 0 ? key : key ^ 0x7fffffffu);
}

// use(number, id) for those of the row that the thread has, kAhead quads read at a time.
template <bool kAligned, int kAhead, class Use>
__device__ void walk(const float* row, std::int64_t n, Use use) {
  constexpr std::int64_t kStep = 4 * kThreads;
  for (std::int64_t first = 4 * threadIdx.x; first < n; first += kAhead * kStep) {
    float4 quads[kAhead];
    QAQ_UNROLL
    for (int i = 0; i < kAhead; ++i) quads[i] = load_quad<kAligned>(row, first + i * kStep, n);
    QAQ_UNROLL
    for (int i = 0; i < kAhead; ++i) {
      const std::int64_t id = first + i * kStep;
      if (id < n) use(quads[i].x, id);
      if (id + 1 < n) use(quads[i].y, id + 1);
      if (id + 2 < n) use(quads[i].z, id + 2);
      if (id + 3 < n) use(quads[i].w, id + 3);
    }
  }
}

// Adds a digit to what is known of a number, from how many have which digit there. A warp does it.
__device__ void narrow(Shared& s, const Found& so_far) {
  constexpr int kOwn = kBins / 32;
  const unsigned first = kOwn * threadIdx.x;
  unsigned own = 0;
  for (int i = 0; i < kOwn; ++i) own += s.counts[first + i];
  unsigned up_to = own;
  for (unsigned distance = 1; distance < 32; distance *= 2) {
    const unsigned before = __shfl_up_sync(~0u, up_to, distance);
    if (threadIdx.x >= distance) up_to += before;
  }
  unsigned before = up_to - own;
  if (so_far.rank <= before || so_far.rank > up_to) return;
  unsigned digit = first;
  for (; so_far.rank > before + s.counts[digit]; ++digit) before += s.counts[digit];
  s.found = {so_far.number << kDigitBits | digit, so_far.rank - before, s.counts[digit]};
}

// The number of this rank, from the smallest, 1-based, among those that each(use) gives to use() in
// all threads.
template <class Each>
__device__ Found nth(Shared& s, unsigned rank, Each each) {
  Found found{0, rank, 0};
  for (int below = 32 - kDigitBits; below >= 0; below -= kDigitBits) {
    if (threadIdx.x < kBins) s.counts[threadIdx.x] = 0;
    __syncthreads();
    each([&](unsigned number) {
      const unsigned upper = number >> below;
      if (upper >> kDigitBits == found.number) atomicAdd(&s.counts[upper % kBins], 1u);
    });
    __syncthreads();
    if (threadIdx.x < 32) narrow(s, found);
    __syncthreads();
    found = s.found;
  }
  return found;
}

// The largest number of each thread, and of the block in front of the warps' keys.
template <bool kAligned>
__device__ unsigned smallest_key(Shared& s, const LogitsTopCall& call, const float* row) {
  unsigned own = kLast;
  walk<kAligned, 4>(row, call.vocab_size, [&](float x, std::int64_t id) {
    own = min(own, key_of(x));
    if (!(x <= FLT_MAX) && call.first_bad != nullptr) {
      atomicMin(reinterpret_cast<long long*>(call.first_bad),
                static_cast<long long>(row - call.logits + id));
    }
  });
  const unsigned of_warp = __reduce_min_sync(~0u, own);
  if (threadIdx.x % 32 == 0) s.warp_keys[threadIdx.x / 32] = of_warp;
  return own;
}

__device__ double sum_of_warp(double sum) {
  QAQ_UNROLL
  for (int distance = 16; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(~0u, sum, distance);
  }
  return sum;
}

// The first n_best in the order of summaries of what each_candidate(use) gives to use(), in any
// order.
template <class Each>
__device__ void keep_best(Shared& s, unsigned n_best, Each each_candidate) {
  const Found last = nth(s, n_best, [&](auto use) {
    each_candidate([&](const Candidate& candidate) { use(candidate.key); });
  });
  unsigned last_id = kLast;
  if (last.rank != last.n_equal) {
    last_id = nth(s, last.rank, [&](auto use) {
                each_candidate([&](const Candidate& candidate) {
                  if (candidate.key == last.number) use(candidate.id);
                });
              }).number;
  }
  each_candidate([&](const Candidate& candidate) {
    if (Candidate{last.number, last_id}.before(candidate)) return;
    s.best[atomicAdd(&s.n_best, 1u)] = candidate;
  });
  __syncthreads();
}

// A thread a candidate, whose place is how many are before it.
// Where the block's row begins in an array of `width` numbers a row.
__device__ std::int64_t row_begin(const LogitsTopCall& call, std::int64_t width) {
  return static_cast<std::int64_t>(blockIdx.x) * (call.row_stride != 0 ? call.row_stride : width);
}

__device__ void write_top(const Shared& s, const LogitsTopCall& call, const float* row,
                          unsigned n_best) {
  if (threadIdx.x >= n_best) return;
  const Candidate mine = s.best[threadIdx.x];
  unsigned place = 0;
  for (unsigned i = 0; i < n_best; ++i) place += s.best[i].before(mine) ? 1 : 0;
  const auto id = static_cast<std::int32_t>(mine.id);
  const float logit = row[mine.id];  // its key does not tell which zero
  if (place == 0) {
    call.argmax[row_begin(call, 1)] = id;
    call.argmax_logit[row_begin(call, 1)] = logit;
  }
  if (call.k == 0) return;
  const std::int64_t at = row_begin(call, n_best) + place;
  call.topk_ids[at] = id;
  call.topk_logits[at] = logit;
}

// resources: registers 64, shared 10456, threads 512, blocks 2
template <bool kAligned>
__global__ void __launch_bounds__(kThreads, 2) logits_top_rows(LogitsTopCall call) {
  Shared& s = block_shared<Shared>();
  const std::int64_t n = call.vocab_size;
  const float* row = call.logits + blockIdx.x * n;
  // The largest one is wanted in any case.
  const auto n_best = static_cast<unsigned>(min(max(call.k, std::int64_t{1}), n));
  if (threadIdx.x == 0) s.n_candidates = s.n_best = 0;

  const unsigned own = smallest_key<kAligned>(s, call, row);
  // Where fewer threads than that have numbers it is kLast, which all numbers reach.
  const unsigned bound = nth(s, n_best, [&](auto use) { use(own); }).number;
  unsigned first_key = kLast;
  for (const unsigned key : s.warp_keys) first_key = min(first_key, key);
  const float largest = from_key(first_key);

  double sum = 0;
  walk<kAligned, 4>(row, n, [&](float x, std::int64_t id) {
    sum += static_cast<double>(expf(x - largest));
    const unsigned key = key_of(x);
    if (key > bound) return;
    const unsigned place = atomicAdd(&s.n_candidates, 1u);
    if (place < kMostCandidates) s.candidates[place] = {key, static_cast<unsigned>(id)};
  });
  sum = sum_of_warp(sum);
  if (threadIdx.x % 32 == 0) s.warp_sums[threadIdx.x / 32] = sum;
  __syncthreads();

  const unsigned n_candidates = s.n_candidates;
  const auto each_candidate = [&](auto use) {
    if (n_candidates <= kMostCandidates) {
      for (unsigned i = threadIdx.x; i < n_candidates; i += kThreads) use(s.candidates[i]);
    } else {
      walk<kAligned, 1>(row, n, [&](float x, std::int64_t id) {
        use(Candidate{key_of(x), static_cast<unsigned>(id)});
      });
    }
  };
  keep_best(s, n_best, each_candidate);
  write_top(s, call, row, n_best);
  if (threadIdx.x == 0) {
    double total = 0;
    for (const double warp_sum : s.warp_sums) total += warp_sum;
    call.logsumexp[row_begin(call, 1)] =
        static_cast<float>(static_cast<double>(largest) + log(total));
  }
}

}  // namespace

cudaError_t logits_top(const LogitsTopCall& call, cudaStream_t stream) {
  if (call.n_rows == 0 || call.vocab_size == 0) return cudaSuccess;
  if (call.k < 0 || call.k > kMostTopLogits) return cudaErrorInvalidValue;
  const auto kernel = in_whole_quads(call.vocab_size, {call.logits}) ? logits_top_rows<true>
                                                                     : logits_top_rows<false>;
  return launch(kernel, static_cast<unsigned>(call.n_rows), kThreads, 0, stream, call);
}

}  // namespace qaq::cuda
