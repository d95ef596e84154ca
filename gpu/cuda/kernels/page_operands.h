// Codes of a page as operands of the tensor cores. A code c at bit s of a 16-bit half of a word
// becomes the number 1024 + 2^s c by `& mask | 0x6400`, two codes at once; a fused multiply-add
// brings it to its weight and takes the 1024 away. So a pair costs two operations a plane, and a
// shift by 8 where it lies in the upper byte. All of it is exact: numbers stay whole and below
// 2048.
//
// Codes are counted from the middle, 2^(bits - 1). Those of more than ten bits are two operands:
// the upper eight bits, at their weight, and the rest.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "gpu/codec/page.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/kernels/warp.h"
#include "gpu/cuda/number.h"

namespace qaq::cuda {

/// body(std::integral_constant<int, i>) for i from 0 to kN - 1, written out: what follows from i is
/// known when the kernel is compiled.
template <class Body, int... kI>
__device__ void repeat(const Body& body, std::integer_sequence<int, kI...>) {
  (body(std::integral_constant<int, kI>{}), ...);
}
template <int kN, class Body>
__device__ void repeat(const Body& body) {
  repeat(body, std::make_integer_sequence<int, kN>{});
}

/// Steps from the base to the code in the middle, from where operands count.
__device__ inline float middle_step(RangeRule rule, int bits) {
  if (bits == 0) return 0.0f;  // all rows are constant
  return static_cast<float>(1 << (bits - 1)) + first_step(rule, bits);
}

/// Kernels are compiled for all widths, and for those of up to so many bits alone: a choice among
/// fewer takes fewer registers.
inline constexpr int kFewBits = 8;

/// body(std::integral_constant<int, bits>) for 1 to kMost bits; nothing at 0.
template <int kMost, class Body>
__device__ void with_bits(int bits, const Body& body) {
  switch (bits) {
#define QAQ_CASE(n)                                                   \
  case n:                                                             \
    if constexpr (n <= kMost) body(std::integral_constant<int, n>{}); \
    break;
    QAQ_CASE(1)
    QAQ_CASE(2)
    QAQ_CASE(3)
    QAQ_CASE(4)
    QAQ_CASE(5)
    QAQ_CASE(6)
    QAQ_CASE(7)
    QAQ_CASE(8)
    QAQ_CASE(9)
    QAQ_CASE(10)
    QAQ_CASE(11)
    QAQ_CASE(12)
    QAQ_CASE(13)
    QAQ_CASE(14)
    QAQ_CASE(15)
    QAQ_CASE(16)
#undef QAQ_CASE
    default:
      break;
  }
}

inline constexpr int kMaxOneOperand = 10;  // bits that one operand holds

/// A lane's run of words in a group of kChunks.
template <int kBits, int kSize>
struct Run {
  static constexpr int kChunks = kSize;
  static constexpr int kWords = run_words(kBits, kSize);
  unsigned words[kWords];

  __device__ explicit Run(const std::uint32_t* group) {
    constexpr int kFours = kWords / 4 * 4, kPairs = kFours + kWords % 4 / 2 * 2;
    const int lane = threadIdx.x % 32;
    repeat<kFours / 4>([&](auto four) {
      constexpr int kFirst = 4 * four;
      const auto* from = reinterpret_cast<const uint4*>(group + word_place(kWords, kFirst, lane));
      const uint4 w = *from;
      words[kFirst] = w.x, words[kFirst + 1] = w.y, words[kFirst + 2] = w.z;
      words[kFirst + 3] = w.w;
    });
    if constexpr (kPairs > kFours) {
      const auto* from = reinterpret_cast<const uint2*>(group + word_place(kWords, kFours, lane));
      const uint2 w = *from;
      words[kFours] = w.x, words[kFours + 1] = w.y;
    }
    if constexpr (kWords > kPairs) words[kPairs] = group[word_place(kWords, kPairs, lane)];
  }
};

/// The bits of two halves that are this whole number; at most 11 of its bits are significant.
constexpr unsigned half_pair(float whole) {
  const auto bits = std::bit_cast<std::uint32_t>(whole);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude == 0) return 0;
  return ((bits >> 31 << 15) | ((magnitude - 0x38000000u) >> 13)) * 0x00010001u;
}
__device__ inline __half2 as_halves(unsigned word) {
  __half2 halves;
  std::memcpy(static_cast<void*>(&halves), &word, sizeof halves);
  return halves;
}
__device__ inline unsigned as_word(__half2 halves) {
  unsigned word;
  std::memcpy(&word, &halves, sizeof word);
  return word;
}

/// a b + c, rounded once.
__device__ inline __half2 multiply_add(__half2 a, __half2 b, __half2 c) {
#ifdef __CUDACC__
  return __hfma2(a, b, c);
#else
  // The toolkit has it for devices only. All numbers here are such that nothing is rounded.
  return __floats2half2_rn(fmaf(__low2float(a), __low2float(b), __low2float(c)),
                           fmaf(__high2float(a), __high2float(b), __high2float(c)));
#endif
}

/// Has the 128 bytes at `line` brought to the L2 cache, while there is other work.
__device__ inline void fetch_line(const std::uint32_t* line) {
#ifdef __CUDACC__
  asm volatile("prefetch.global.L2 [%0];" ::"l"(__cvta_generic_to_global(line)));
#else
  static_cast<void>(line);
#endif
}

/// Where a plane has the bits of a pair of a group, and what brings them to `weight`.
struct PlaneStep {
  int word = 0;
  int shift = 0;  ///< 8: the pair lies in upper bytes
  unsigned mask = 0;
  float factor = 0;
};
constexpr PlaneStep plane_step(int bits, int chunks, int plane, int weight, int pair) {
  const int width = plane_width(plane);
  const PlaneBits at = plane_bits(width, pair, 0);
  const int low = at.shift % 8;
  const float factor = weight >= low ? static_cast<float>(1 << (weight - low))
                                     : 1.0f / static_cast<float>(1 << (low - weight));
  return {plane_first(bits, plane, chunks) + at.word, at.shift / 8 * 8,
          (((1u << width) - 1) << low) * 0x00010001u, factor};
}
/// What planes from `first` on have too much in a pair of operands.
constexpr float too_much(int bits, int first, int pair) {
  float sum = 0;
  for (int plane = first; plane < kPlanes; ++plane) {
    if (!has_plane(bits, plane)) continue;
    sum += 1024 * plane_step(bits, kGroupChunks, plane, plane_shift(bits, plane), pair).factor;
  }
  return sum;
}
template <int kPlane, int kPair, int kWeight, int kBits, int kChunks>
__device__ __half2 biased_codes(const Run<kBits, kChunks>& run) {
  constexpr PlaneStep kStep = plane_step(kBits, kChunks, kPlane, kWeight, kPair);
  return as_halves((run.words[kStep.word] >> kStep.shift & kStep.mask) | 0x64006400u);
}

/// The operand of all planes from kFirst on, less kMiddle.
template <int kChunk, int kFirst, int kMiddle, int kBits, int kChunks>
__device__ void add_planes(const Run<kBits, kChunks>& run, unsigned (&a)[4]) {
  repeat<4>([&](auto i) {
    constexpr int kPair = 4 * kChunk + i;
    constexpr unsigned kAway = half_pair(-too_much(kBits, kFirst, kPair) - kMiddle);
    __half2 sum = as_halves(kAway);
    repeat<kPlanes - kFirst>([&](auto later) {
      constexpr int kPlane = kFirst + later;
      if constexpr (has_plane(kBits, kPlane)) {
        constexpr int kWeight = plane_shift(kBits, kPlane);
        constexpr unsigned kFactor =
            half_pair(plane_step(kBits, kChunks, kPlane, kWeight, kPair).factor);
        sum = multiply_add(biased_codes<kPlane, kPair, kWeight>(run), as_halves(kFactor), sum);
      }
    });
    a[i] = as_word(sum);
  });
}

/// The operand of the upper eight of more than ten bits.
template <int kChunk, int kBits, int kChunks>
__device__ void upper_bits(const Run<kBits, kChunks>& run, unsigned (&a)[4]) {
  constexpr unsigned kMiddle = half_pair(1024 + 128);
  constexpr unsigned kWeight = half_pair(static_cast<float>(1 << (kBits - 8)));
  repeat<4>([&](auto i) {
    const __half2 codes = biased_codes<0, 4 * kChunk + i, 0>(run);
    a[i] = as_word(__hmul2(__hsub2(codes, as_halves(kMiddle)), as_halves(kWeight)));
  });
}

/// c += codes of chunk kChunk of a group times b.
template <int kChunk, int kBits, int kChunks>
__device__ void multiply_codes(const Run<kBits, kChunks>& run, const uint2& b, float (&c)[4]) {
  unsigned a[4];
  if constexpr (kBits <= kMaxOneOperand) {
    add_planes<kChunk, 0, 1 << (kBits - 1)>(run, a);
  } else {
    upper_bits<kChunk>(run, a);
    multiply_add<__half>(c, a, {b.x, b.y});
    add_planes<kChunk, 1, 0>(run, a);
  }
  multiply_add<__half>(c, a, {b.x, b.y});
}

/// Two numbers as halves, and what those leave out.
struct SplitPair {
  unsigned value = 0;
  unsigned rest = 0;
};
__device__ inline SplitPair split_pair(float first, float second) {
  const __half2 value = __floats2half2_rn(first, second);
  const __half2 rest = __floats2half2_rn(first - __low2float(value), second - __high2float(value));
  return {as_word(value), as_word(rest)};
}

/// The number at `at`, of the given type.
__device__ inline float number_at(const void* numbers, DType dtype, std::int64_t at) {
  switch (dtype) {
    case DType::f16:
      return to_float(static_cast<const __half*>(numbers)[at]);
    case DType::bf16:
      return to_float(static_cast<const __nv_bfloat16*>(numbers)[at]);
    default:
      return static_cast<const float*>(numbers)[at];
  }
}

/// The exponent of two of a largest magnitude, by which numbers are brought to where halves are
/// good; not below -80, so that powers of it stay within float32.
__device__ inline int exponent_of(float largest) {
  return max(static_cast<int>(__float_as_uint(largest) >> 23) - 127, -80);
}
/// 2^n, for n from -126 to 127.
__device__ inline float power_of_two(int n) { return __uint_as_float((n + 127u) << 23); }
/// Numbers go up to 2^kHalfTop and a little, and as far down as halves do.
inline constexpr int kHalfTop = 10;

/// The query heads of a block, up to four (two of operand B's eight columns each): those of query
/// head `first` on, which read list `list`. The launch has a KV head in y and four heads in z.
inline constexpr int kBlockHeads = 4;
struct BlockHeads {
  std::int64_t list = 0;
  std::int64_t first = 0;
  int n = 0;
};
__device__ inline BlockHeads heads_of_block(std::int64_t first_list, int group) {
  const int done = static_cast<int>(blockIdx.z) * kBlockHeads;
  return {first_list + blockIdx.y, static_cast<std::int64_t>(blockIdx.y) * group + done,
          min(kBlockHeads, group - done)};
}
inline dim3 grid_of_heads(int n_blocks, int n_kv_heads, int group) {
  return dim3(static_cast<unsigned>(n_blocks), static_cast<unsigned>(n_kv_heads),
              static_cast<unsigned>((group + kBlockHeads - 1) / kBlockHeads));
}

/// What is kept of an outlier: its channel, and how far its value lies from what code 0 stands for.
struct Outlier {
  int channel = 0;
  float more = 0;
};
__device__ inline Outlier outlier_at(const PagedCache& cache, std::int64_t list, int entry,
                                     float code_0) {
  const std::int64_t at = list * cache.max_outliers + entry;
  return {cache.outlier_channels[at], number_at(cache.outlier_values, cache.dtype, at) - code_0};
}

}  // namespace qaq::cuda
