// Sums that bits follow from are core's, to the bit: number i of a unit belongs to sum i mod 16,
// each is float64 and in order, and the sixteen are put together by halves.
//
// row_units, a unit is a row of up to 256: sixteen lanes a unit, lane l holds numbers l, l + 16, ..
// and so makes sum l. Units that follow each other are heads of one token, so that their stats are
// written side by side. Ranks lie near the ends (one or two numbers in at 1 % of 128), so they are
// found by going inwards, value by value: a step is a minimum of sixteen lanes and a count. Bytes:
// the row, once, and 28; the floor. 16-bit numbers come in runs of 32 bytes.
//
// large_units, anything else: a block of 256 a unit. Ranks by digits of 11, 11 and 10 bits of keys
// in the order of floats, counted in shared memory; 16-bit numbers need two digits. Then tiles of
// 2048 go through shared memory: all threads load one while sixteen lanes add up the one before, n
// / 16 float64 additions that wait for each other and that other blocks hide. Each pass but the
// first reads what lies in the L2 cache. Bytes: the unit, once, and 28.
#include <cfloat>
#include <limits>

#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/kernels/unit_stats.h"
#include "gpu/cuda/number.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int kSums = 16;  // core's kRowSums
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNone = std::numeric_limits<float>::quiet_NaN();  // in the place of no number

// What makes a number an outlier, the same for all units.
struct Outliers {
  enum class Rule { none, by_rank, all } rule = Rule::none;
  int low_rank = 0;   // of the threshold, from the smallest number, 1-based
  int high_rank = 0;  // from the largest
};

Outliers outliers_of(double ratio, std::int64_t n) {
  if (ratio == 0) return {};
  const std::int64_t low = k_low(ratio, n), high = k_high(ratio, n);
  if (high <= low) return {.rule = Outliers::Rule::all};
  return {Outliers::Rule::by_rank, static_cast<int>(low), static_cast<int>(n - high + 1)};
}

// Rows of head_dim numbers, one for each layer and KV head that a unit spans.
template <class T>
struct UnitValues {
  const T* first;
  std::int64_t row_stride;  // numbers between two rows
  std::int64_t index;       // of its stats
};

// Unit `unit` of those of the call's tokens.
template <class T>
__device__ UnitValues<T> values_of(const UnitStatsCall& call, std::int64_t unit) {
  const std::int64_t at = unit / call.n_units;
  std::int64_t token = call.first_token + at;
  if (call.position != nullptr) token += *call.position;
  const std::int64_t in_token = call.first_unit + unit % call.n_units;
  const std::int64_t n_rows = call.n_layers * call.n_kv_heads / call.units_per_token;
  const std::int64_t row_stride = call.cache_stride * call.head_dim;
  const std::int64_t row = call.rows_from_first ? at : token;
  const T* values = static_cast<const T*>(call.values);
  return {values + in_token * n_rows * row_stride + row * call.head_dim, row_stride,
          token * call.units_per_token + in_token};
}

__device__ bool is_finite(float x) { return fabsf(x) <= FLT_MAX; }

__device__ void report_bad(const UnitStatsCall& call, std::int64_t place) {
  atomicMin(reinterpret_cast<long long*>(call.first_bad), static_cast<long long>(place));
}

// The inliers of a unit.
struct Inliers {
  int count = 0;
  float min = kInfinity;
  float max = -kInfinity;

  __device__ void add(float x) {
    ++count;
    min = fminf(min, x);
    max = fmaxf(max, x);
  }
};

__device__ double mean_of(const Inliers& inliers, double sum) {
  return inliers.count == 0 ? 0.0 : sum / static_cast<double>(inliers.count);
}

__device__ UnitStats stats_of(float low, float high, const Inliers& inliers, double mean,
                              double squares) {
  UnitStats stats;
  stats.low = low;
  stats.high = high;
  stats.n_inliers = inliers.count;
  if (inliers.count == 0) return stats;
  stats.min = inliers.min;
  stats.max = inliers.max;
  stats.mean = static_cast<float>(mean);
  if (inliers.count > 1) {
    stats.deviation = static_cast<float>(sqrt(squares / static_cast<double>(inliers.count - 1)));
  }
  return stats;
}

__device__ double square_of_difference(float x, double mean) {
  const double difference = static_cast<double>(x) - mean;
  return difference * difference;
}

// Sixteen sums put together as core does: each pair is added in one order or the other, which is
// the same.
__device__ double total_of(double sum) {
  QAQ_UNROLL
  for (int distance = kSums / 2; distance > 0; distance /= 2) {
    sum += __shfl_xor_sync(~0u, sum, distance, kSums);
  }
  return sum;
}

__device__ float smallest_of_lanes(float x, int width) {
  for (int distance = width / 2; distance > 0; distance /= 2) {
    x = fminf(x, __shfl_xor_sync(~0u, x, distance, width));
  }
  return x;
}

// The sum over the half of a warp that the calling lane is in, below 65536.
__device__ int sum_of_half(int n) {
  const unsigned place = threadIdx.x & 16u;
  return static_cast<int>(__reduce_add_sync(~0u, static_cast<unsigned>(n) << place) >> place &
                          0xffffu);
}

// The rank-th smallest of the half warp's numbers, times kSign. The halves of a warp go on until
// both have theirs; rank 0 asks for nothing.
template <int kSign, int kPerLane>
__device__ float nth(const float (&x)[kPerLane], int rank) {
  float found = -kInfinity;
  do {
    float next = kInfinity;
    QAQ_UNROLL
    for (int i = 0; i < kPerLane; ++i) {
      if (kSign * x[i] > found) next = fminf(next, kSign * x[i]);
    }
    next = smallest_of_lanes(next, kSums);
    int n = 0;
    QAQ_UNROLL
    for (int i = 0; i < kPerLane; ++i) n += kSign * x[i] == next ? 1 : 0;
    if (rank > 0) found = next;
    rank -= sum_of_half(n);
  } while (__any_sync(~0u, rank > 0));
  return kSign * found;
}

// resources: registers 64, shared 0, threads 256, blocks 4
template <class T, int kPerLane>
__global__ void __launch_bounds__(kThreads) row_units(UnitStatsCall call, Outliers outliers) {
  const int lane = threadIdx.x % kSums;
  const std::int64_t n_units = call.n_tokens * call.n_units;
  const std::int64_t unit =
      static_cast<std::int64_t>(blockIdx.x) * (kThreads / kSums) + threadIdx.x / kSums;
  // Behind the last unit the last one is taken again and not written.
  const UnitValues<T> values = values_of<T>(call, min(unit, n_units - 1));

  float x[kPerLane];
  bool bad = false;
  QAQ_UNROLL
  for (int i = 0; i < kPerLane; ++i) {
    const int channel = lane + kSums * i;
    x[i] = channel < call.head_dim ? to_float(values.first[channel]) : kNone;
    if (channel < call.head_dim && !is_finite(x[i])) {
      bad = true;
      report_bad(call, values.first + channel - static_cast<const T*>(call.values));
    }
  }
  const bool all_finite = sum_of_half(bad ? 1 : 0) == 0;

  float low = -kInfinity, high = kInfinity;
  if (outliers.rule == Outliers::Rule::by_rank) {
    low = nth<1>(x, all_finite ? outliers.low_rank : 0);
    high = nth<-1>(x, all_finite ? outliers.high_rank : 0);
  }
  if (outliers.rule == Outliers::Rule::all || !all_finite) low = high = kInfinity;

  Inliers inliers;
  double sum = 0;
  QAQ_UNROLL
  for (int i = 0; i < kPerLane; ++i) {
    if (!(x[i] > low && x[i] <= high)) continue;
    inliers.add(x[i]);
    sum += static_cast<double>(x[i]);
  }
  inliers.count = sum_of_half(inliers.count);
  inliers.min = smallest_of_lanes(inliers.min, kSums);
  inliers.max = -smallest_of_lanes(-inliers.max, kSums);
  const double mean = mean_of(inliers, total_of(sum));

  double squares = 0;
  if (call.deviation) {
    QAQ_UNROLL
    for (int i = 0; i < kPerLane; ++i) {
      if (x[i] > low && x[i] <= high) squares += square_of_difference(x[i], mean);
    }
    squares = total_of(squares);
  }
  if (lane == 0 && unit < n_units) {
    call.stats[values.index] = stats_of(low, high, inliers, mean, squares);
  }
}

constexpr int kDigitBits = 11;  // of the first digits; the last has what is left
constexpr int kBins = 1 << kDigitBits;
constexpr int kTile = 2048;
constexpr int kTilePerThread = kTile / kThreads;

// A rank on its way: the digits of its key that are known, and its rank among the numbers that
// begin with them.
struct Search {
  unsigned prefix = 0;
  unsigned rank = 0;
};

struct Shared {
  union {
    unsigned counts[2][kBins];
    float tiles[2][kTile];
  };
  Search searches[2];
  unsigned warp_counts[2][kWarps];
  Inliers warp_inliers[kWarps];
  double total;
};

// Walks over a unit's numbers, kThreads at a time.
template <class T>
class Walk {
 public:
  __device__ Walk(const UnitValues<T>& unit, int head_dim)
      : unit_(unit),
        head_dim_(head_dim),
        channel_(static_cast<int>(threadIdx.x) % head_dim),
        place_(static_cast<int>(threadIdx.x) / head_dim * unit.row_stride + channel_) {}

  __device__ const T* here() const { return unit_.first + place_; }
  __device__ void step() {
    channel_ += kThreads % head_dim_;
    place_ += kThreads / head_dim_ * unit_.row_stride + kThreads % head_dim_;
    if (channel_ < head_dim_) return;
    channel_ -= head_dim_;
    place_ += unit_.row_stride - head_dim_;
  }

 private:
  const UnitValues<T>& unit_;
  int head_dim_;
  int channel_;
  std::int64_t place_;
};

// Unsigned numbers in the order of floats, and back.
__device__ unsigned key_of(float x) {
  const unsigned bits = __float_as_uint(x);
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}
__device__ float from_key(unsigned key) {
  return __uint_as_float((key & 0x80000000u) != 0 ? key ^ 0x80000000u : ~key);
}

// Adds a digit of `width` bits to a search, from how many numbers have which.
__device__ void narrow(Shared& s, int which, const unsigned (&counts)[kBins], int width) {
  constexpr int kOwn = kBins / kThreads;
  const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const Search search = s.searches[which];
  unsigned own = 0;
  for (int i = 0; i < kOwn; ++i) own += counts[kOwn * threadIdx.x + i];
  unsigned up_to = own;
  for (unsigned distance = 1; distance < 32; distance *= 2) {
    const unsigned before = __shfl_up_sync(~0u, up_to, distance);
    if (lane >= distance) up_to += before;
  }
  if (lane == 31) s.warp_counts[which][warp] = up_to;
  __syncthreads();
  for (unsigned i = 0; i < warp; ++i) up_to += s.warp_counts[which][i];

  unsigned before = up_to - own;
  if (search.rank <= before || search.rank > up_to) return;
  unsigned digit = kOwn * threadIdx.x;
  for (; search.rank > before + counts[digit]; ++digit) before += counts[digit];
  s.searches[which] = {search.prefix << width | digit, search.rank - before};
}

struct Thresholds {
  float low;
  float high;
};

template <class T>
__device__ Thresholds select(Shared& s, const UnitValues<T>& unit, int head_dim, int n,
                             const Outliers& outliers) {
  if (threadIdx.x == 0) {
    s.searches[0] = {0, static_cast<unsigned>(outliers.low_rank)};
    s.searches[1] = {0, static_cast<unsigned>(n - outliers.high_rank + 1)};
  }
  int below = 32;  // bits of a key that are not known
  // The 22 bits of two digits are all that a 16-bit number has of a float's key.
  constexpr int kDigits = sizeof(T) == 2 ? 2 : 3;
  for (int digit = 0; digit < kDigits; ++digit) {
    const int width = min(below, kDigitBits);
    below -= width;
    for (int i = threadIdx.x; i < 2 * kBins; i += kThreads) s.counts[i / kBins][i % kBins] = 0;
    __syncthreads();
    const unsigned low = s.searches[0].prefix, high = s.searches[1].prefix;
    Walk<T> walk(unit, head_dim);
    for (int i = threadIdx.x; i < n; i += kThreads, walk.step()) {
      const unsigned upper = key_of(to_float(*walk.here())) >> below;
      const unsigned prefix = upper >> width, bin = upper & ((1u << width) - 1u);
      if (prefix == low) {
        atomicAdd(&s.counts[0][bin], 1u);
      } else if (prefix == high) {
        atomicAdd(&s.counts[1][bin], 1u);
      }
    }
    __syncthreads();
    narrow(s, 0, s.counts[0], width);
    narrow(s, 1, s.counts[low == high ? 0 : 1], width);
    __syncthreads();
  }
  const auto threshold = [&](const Search& search) {
    // The bits that 16-bit numbers do not have are zeros, which keys of negative ones turn over.
    const unsigned key = search.prefix << below;
    return from_key((key & 0x80000000u) != 0 ? key : key | ((1u << below) - 1u));
  };
  return {threshold(s.searches[0]), threshold(s.searches[1])};
}

// The sum of term(x) over what load() gives, which each thread calls for its numbers in order; NaN
// is left out.
template <class Load, class Term>
__device__ double sum_in_order(Shared& s, int n, Load load, Term term) {
  double sum = 0;
  int buffer = 0;
  for (int first = 0; first < n; first += kTile) {
    QAQ_UNROLL
    for (int i = 0; i < kTilePerThread; ++i) {
      const int at = static_cast<int>(threadIdx.x) + kThreads * i;
      s.tiles[buffer][at] = first + at < n ? load() : kNone;
    }
    __syncthreads();
    if (threadIdx.x < kSums) {
      constexpr int kAhead = 16;
      for (int at = 0; at < min(kTile, n - first); at += kAhead * kSums) {
        QAQ_UNROLL
        for (int i = 0; i < kAhead; ++i) {
          const float x = s.tiles[buffer][at + kSums * i + static_cast<int>(threadIdx.x)];
          sum += x == x ? term(x) : 0.0;
        }
      }
    }
    buffer = 1 - buffer;
  }
  if (threadIdx.x < 32) {
    sum = total_of(sum);
    if (threadIdx.x == 0) s.total = sum;
  }
  __syncthreads();
  return s.total;
}

__device__ Inliers inliers_of_block(Shared& s, Inliers own) {
  own.count = __reduce_add_sync(~0u, own.count);
  own.min = smallest_of_lanes(own.min, 32);
  own.max = -smallest_of_lanes(-own.max, 32);
  if (threadIdx.x % 32 == 0) s.warp_inliers[threadIdx.x / 32] = own;
  __syncthreads();
  Inliers all;
  for (const Inliers& part : s.warp_inliers) {
    all.count += part.count;
    all.min = fminf(all.min, part.min);
    all.max = fmaxf(all.max, part.max);
  }
  return all;
}

// resources: registers 64, shared 16640, threads 256, blocks 5
template <class T>
__global__ void __launch_bounds__(kThreads) large_units(UnitStatsCall call, Outliers outliers) {
  Shared& s = block_shared<Shared>();
  const UnitValues<T> unit = values_of<T>(call, blockIdx.x);
  const auto head_dim = static_cast<int>(call.head_dim);
  const auto n =
      static_cast<int>(call.n_layers * call.n_kv_heads / call.units_per_token * call.head_dim);
  Thresholds limits{-kInfinity, kInfinity};
  if (outliers.rule == Outliers::Rule::by_rank) limits = select(s, unit, head_dim, n, outliers);
  if (outliers.rule == Outliers::Rule::all) limits = {kInfinity, kInfinity};

  Inliers own;
  bool bad = false;
  Walk<T> walk(unit, head_dim);
  const double sum = sum_in_order(
      s, n,
      [&] {
        const float x = to_float(*walk.here());
        if (!is_finite(x)) {
          bad = true;
          report_bad(call, walk.here() - static_cast<const T*>(call.values));
        }
        walk.step();
        if (!(x > limits.low && x <= limits.high)) return kNone;
        own.add(x);
        return x;
      },
      [](float x) { return static_cast<double>(x); });
  Inliers inliers = inliers_of_block(s, own);
  if (__syncthreads_or(bad ? 1 : 0) != 0) {
    inliers.count = 0;
    limits = {kInfinity, kInfinity};
  }
  const double mean = mean_of(inliers, sum);

  double squares = 0;
  if (call.deviation) {
    Walk<T> again(unit, head_dim);
    squares = sum_in_order(
        s, n,
        [&] {
          const float x = to_float(*again.here());
          again.step();
          return x > limits.low && x <= limits.high ? x : kNone;
        },
        [&](float x) { return square_of_difference(x, mean); });
  }
  if (threadIdx.x == 0) {
    call.stats[unit.index] = stats_of(limits.low, limits.high, inliers, mean, squares);
  }
}

template <class T>
cudaError_t launch_rows(const UnitStatsCall& call, const Outliers& outliers, cudaStream_t stream) {
  auto* kernel = row_units<T, 16>;
  if (call.head_dim <= 128) kernel = row_units<T, 8>;
  if (call.head_dim <= 64) kernel = row_units<T, 4>;
  constexpr int kUnits = kThreads / kSums;
  const std::int64_t n_blocks = (call.n_tokens * call.n_units + kUnits - 1) / kUnits;
  return launch(kernel, static_cast<unsigned>(n_blocks), kThreads, 0, stream, call, outliers);
}

}  // namespace

cudaError_t unit_stats(const UnitStatsCall& asked, cudaStream_t stream) {
  UnitStatsCall call = asked;
  if (call.n_units < 0) call.n_units = call.units_per_token - call.first_unit;
  if (call.n_tokens == 0 || call.n_units == 0 || call.head_dim == 0) return cudaSuccess;
  const std::int64_t n_rows = call.n_layers * call.n_kv_heads;
  if (n_rows % call.units_per_token != 0 || call.first_unit < 0 || call.n_units < 0 ||
      call.first_unit + call.n_units > call.units_per_token) {
    return cudaErrorInvalidValue;
  }
  const std::int64_t unit_size = n_rows / call.units_per_token * call.head_dim;
  const Outliers outliers = outliers_of(call.outliers_ratio, unit_size);
  return with_type(call.dtype, [&](auto of) {
    using T = typename decltype(of)::type;
    if (unit_size == call.head_dim && unit_size <= 16 * kSums) {
      return launch_rows<T>(call, outliers, stream);
    }
    return launch(large_units<T>, static_cast<unsigned>(call.n_tokens * call.n_units), kThreads, 0,
                  stream, call, outliers);
  });
}

}  // namespace qaq::cuda
