// A block of 256 a tile of 2,048 numbers, which all types store in a whole number of blocks and of
// 16 bytes; a thread 8 neighbouring numbers, which lie under one scale. The tile's bytes go through
// shared memory: by 16 where the matrix begins at a multiple of 16, else by 2. Blocks are only
// 2-aligned, so codes are read from there by 2 bytes; a block's header is one broadcast. Bytes:
// what is stored and what is written, each once, which is the floor.
//
// Every type does core's float operations in core's order (core/tensor/block_decoders.cpp, which
// says where the bits of a number lie). Nothing is fused.
#include "core/tensor/block_decoders.h"
#include "gpu/cuda/kernels/dequantize_weights.h"
#include "gpu/cuda/kernels/quad.h"
#include "gpu/cuda/portable.h"

namespace qaq::cuda {
namespace {

using Byte = unsigned char;

constexpr int kThreads = 256;
constexpr int kEach = 8;  // numbers of a thread
constexpr int kTile = kThreads * kEach;

struct Eight {
  float x[kEach];
};

/// 8 bytes; the first lies lowest.
struct Codes {
  unsigned low, high;

  __device__ int at(int i) const { return (i < 4 ? low : high) >> 8 * (i % 4) & 255; }
};

__device__ unsigned two_bytes(const Byte* at) {
  return *reinterpret_cast<const unsigned short*>(at);
}
__device__ unsigned four_bytes(const Byte* at) { return two_bytes(at) | two_bytes(at + 2) << 16; }
__device__ Codes codes_at(const Byte* at) { return {four_bytes(at), four_bytes(at + 4)}; }
__device__ float half_at(const Byte* at) {
  return __half2float(__ushort_as_half(static_cast<unsigned short>(two_bytes(at))));
}

template <class FromIndex>
__device__ Eight eight(FromIndex from_index) {
  Eight out;
  QAQ_UNROLL
  for (int i = 0; i < kEach; ++i) out.x[i] = from_index(i);
  return out;
}

// kIq4Values as two words: arrays of the host are not there on the device.
constexpr unsigned long long iq4_word(int first) {
  unsigned long long word = 0;
  for (int i = 0; i < 8; ++i) {
    word |= static_cast<unsigned long long>(static_cast<Byte>(kIq4Values[first + i])) << 8 * i;
  }
  return word;
}

__device__ float iq4_value(int code) {
  constexpr unsigned long long kLow = iq4_word(0), kHigh = iq4_word(8);
  const unsigned long long word = code < 8 ? kLow : kHigh;
  return static_cast<float>(static_cast<signed char>(word >> 8 * (code % 8)));
}

// How a type is stored, and numbers first .. first + 7 of a block; `first` is a multiple of 8.

struct F32 {
  static constexpr int kNumbers = 1, kBytes = 4;
  static __device__ Eight decode(const Byte* block, int) {
    return eight([&](int i) { return __uint_as_float(four_bytes(block + 4 * i)); });
  }
};

struct F16 {
  static constexpr int kNumbers = 1, kBytes = 2;
  static __device__ Eight decode(const Byte* block, int) {
    return eight([&](int i) { return half_at(block + 2 * i); });
  }
};

struct Bf16 {
  static constexpr int kNumbers = 1, kBytes = 2;
  static __device__ Eight decode(const Byte* block, int) {
    return eight([&](int i) { return __uint_as_float(two_bytes(block + 2 * i) << 16); });
  }
};

struct Q8_0 {
  static constexpr int kNumbers = 32, kBytes = 34;
  static __device__ Eight decode(const Byte* block, int first) {
    const float d = half_at(block);
    const Codes codes = codes_at(block + 2 + first);
    return eight(
        [&](int i) { return d * static_cast<float>(static_cast<signed char>(codes.at(i))); });
  }
};

// Blocks of 32 with two numbers a byte: `from_code` of the four bits of each.
template <class FromCode>
__device__ Eight decode_nibbles(const Byte* bytes, int first, FromCode from_code) {
  const Codes codes = codes_at(bytes + first % 16);
  const int shift = first / 16 * 4;
  return eight([&](int i) { return from_code(codes.at(i) >> shift & 15); });
}

struct Q4_0 {
  static constexpr int kNumbers = 32, kBytes = 18;
  static __device__ Eight decode(const Byte* block, int first) {
    const float d = half_at(block);
    return decode_nibbles(block + 2, first, [d](int q) { return d * static_cast<float>(q - 8); });
  }
};

struct Q4_1 {
  static constexpr int kNumbers = 32, kBytes = 20;
  static __device__ Eight decode(const Byte* block, int first) {
    const float d = half_at(block), m = half_at(block + 2);
    return decode_nibbles(block + 4, first, [=](int q) { return d * static_cast<float>(q) + m; });
  }
};

struct Iq4Nl {
  static constexpr int kNumbers = 32, kBytes = 18;
  static __device__ Eight decode(const Byte* block, int first) {
    const float d = half_at(block);
    return decode_nibbles(block + 2, first, [d](int q) { return d * iq4_value(q); });
  }
};

// As decode_nibbles, with the fifth bits of the block's numbers in `high`.
template <class FromCode>
__device__ Eight decode_five_bits(unsigned high, const Byte* bytes, int first, FromCode from_code) {
  const Codes codes = codes_at(bytes + first % 16);
  const int shift = first / 16 * 4;
  const unsigned fifth = high >> first;
  return eight([&](int i) {
    return from_code((codes.at(i) >> shift & 15) | static_cast<int>(fifth >> i & 1) << 4);
  });
}

struct Q5_0 {
  static constexpr int kNumbers = 32, kBytes = 22;
  static __device__ Eight decode(const Byte* block, int first) {
    const float d = half_at(block);
    return decode_five_bits(four_bytes(block + 2), block + 6, first,
                            [d](int q) { return d * static_cast<float>(q - 16); });
  }
};

struct Q5_1 {
  static constexpr int kNumbers = 32, kBytes = 24;
  static __device__ Eight decode(const Byte* block, int first) {
    const float d = half_at(block), m = half_at(block + 2);
    return decode_five_bits(four_bytes(block + 4), block + 8, first,
                            [=](int q) { return d * static_cast<float>(q) + m; });
  }
};

struct Q3_K {
  static constexpr int kNumbers = 256, kBytes = 110;

  static __device__ int scale(const Byte* packed, int j) {
    const int low = packed[j % 8] >> (j < 8 ? 0 : 4) & 15;
    const int high = packed[8 + j % 4] >> 2 * (j / 4) & 3;
    return (low | high << 4) - 32;
  }
  static __device__ Eight decode(const Byte* block, int first) {
    const int group = first / 32, lane = first % 32;
    const Codes third = codes_at(block + lane);
    const Codes codes = codes_at(block + 32 + group / 4 * 32 + lane);
    const float step = half_at(block + 108) * static_cast<float>(scale(block + 96, first / 16));
    return eight([&](int i) {
      const int low = codes.at(i) >> 2 * (group % 4) & 3;
      const int high = third.at(i) >> group & 1;
      return step * static_cast<float>(low - (high ? 0 : 4));
    });
  }
};

// The scale and the minimum of a group of 32 of q4_k and q5_k.
struct Line {
  float step, offset;

  __device__ Line(const Byte* block, int group) {
    const Byte* packed = block + 4;
    int scale = packed[group % 4 + (group < 4 ? 0 : 8)], minimum = packed[group % 4 + 4];
    if (group < 4) {
      scale &= 63;
      minimum &= 63;
    } else {
      const int low = scale;
      scale = (low & 15) | packed[group - 4] >> 6 << 4;
      minimum = low >> 4 | minimum >> 6 << 4;
    }
    step = half_at(block) * static_cast<float>(scale);
    offset = half_at(block + 2) * static_cast<float>(minimum);
  }
  __device__ float at(int code) const { return step * static_cast<float>(code) - offset; }
};

struct Q4_K {
  static constexpr int kNumbers = 256, kBytes = 144;
  static __device__ Eight decode(const Byte* block, int first) {
    const int group = first / 32, lane = first % 32;
    const Line line(block, group);
    const Codes codes = codes_at(block + 16 + group / 2 * 32 + lane);
    return eight([&](int i) { return line.at(codes.at(i) >> 4 * (group % 2) & 15); });
  }
};

struct Q5_K {
  static constexpr int kNumbers = 256, kBytes = 176;
  static __device__ Eight decode(const Byte* block, int first) {
    const int group = first / 32, lane = first % 32;
    const Line line(block, group);
    const Codes fifth = codes_at(block + 16 + lane);
    const Codes codes = codes_at(block + 48 + group / 2 * 32 + lane);
    return eight([&](int i) {
      const int low = codes.at(i) >> 4 * (group % 2) & 15;
      return line.at(low | (fifth.at(i) >> group & 1) << 4);
    });
  }
};

struct Q6_K {
  static constexpr int kNumbers = 256, kBytes = 210;
  static __device__ Eight decode(const Byte* block, int first) {
    const int side = first / 128, quarter = first % 128 / 32, lane = first % 32;
    const Codes codes = codes_at(block + side * 64 + quarter % 2 * 32 + lane);
    const Codes upper = codes_at(block + 128 + side * 32 + lane);
    const auto scale = static_cast<signed char>(block[192 + first / 16]);
    const float step = half_at(block + 208) * static_cast<float>(scale);
    return eight([&](int i) {
      const int low = codes.at(i) >> 4 * (quarter / 2) & 15;
      const int high = upper.at(i) >> 2 * quarter & 3;
      return step * static_cast<float>((low | high << 4) - 32);
    });
  }
};

struct Iq4Xs {
  static constexpr int kNumbers = 256, kBytes = 136;
  static __device__ Eight decode(const Byte* block, int first) {
    const int group = first / 32;
    const int low = block[4 + group / 2] >> 4 * (group % 2) & 15;
    const int high = static_cast<int>(two_bytes(block + 2)) >> 2 * group & 3;
    const float step = half_at(block) * static_cast<float>((low | high << 4) - 32);
    return decode_nibbles(block + 8 + group * 16, first % 32,
                          [step](int q) { return step * iq4_value(q); });
  }
};

/// A number as `out` holds it, as bits.
__device__ unsigned bits_of(float x, DType dtype) {
  if (dtype == DType::f16) return __half_as_ushort(__float2half_rn(x));
  if (dtype == DType::bf16) return __bfloat16_as_ushort(__float2bfloat16_rn(x));
  return __float_as_uint(x);
}

__device__ bool is_bad(unsigned bits, DType dtype) {
  const unsigned exponent = dtype == DType::f16    ? 0x7c00
                            : dtype == DType::bf16 ? 0x7f80
                                                   : 0x7f800000;
  return (bits & exponent) == exponent;
}

// The first `n` of 8 numbers to `out`, from number `at` of it on.
__device__ void store(const DequantizeCall& call, std::int64_t at, const unsigned (&bits)[kEach],
                      int n, bool aligned) {
  if (call.dtype == DType::f32) {
    unsigned* out = static_cast<unsigned*>(call.out) + at;
    if (aligned && n == kEach) {
      reinterpret_cast<uint4*>(out)[0] = make_uint4(bits[0], bits[1], bits[2], bits[3]);
      reinterpret_cast<uint4*>(out)[1] = make_uint4(bits[4], bits[5], bits[6], bits[7]);
      return;
    }
    QAQ_UNROLL
    for (int i = 0; i < kEach; ++i) {
      if (i < n) out[i] = bits[i];
    }
    return;
  }
  auto* out = static_cast<unsigned short*>(call.out) + at;
  if (aligned && n == kEach) {
    *reinterpret_cast<uint4*>(out) = make_uint4(bits[0] | bits[1] << 16, bits[2] | bits[3] << 16,
                                                bits[4] | bits[5] << 16, bits[6] | bits[7] << 16);
    return;
  }
  QAQ_UNROLL
  for (int i = 0; i < kEach; ++i) {
    if (i < n) out[i] = static_cast<unsigned short>(bits[i]);
  }
}

// A tile's length is a multiple of 16, so all tiles are aligned as the matrix is.
__device__ void copy_tile(Byte* to, const Byte* from, int n_bytes) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(from) % 16 == 0;
  const int n_wide = aligned ? n_bytes / 16 : 0;
  for (int i = threadIdx.x; i < n_wide; i += kThreads) {
    reinterpret_cast<uint4*>(to)[i] = __ldcs(reinterpret_cast<const uint4*>(from) + i);
  }
  for (int i = 8 * n_wide + threadIdx.x; i < n_bytes / 2; i += kThreads) {
    reinterpret_cast<unsigned short*>(to)[i] = reinterpret_cast<const unsigned short*>(from)[i];
  }
}

template <class Type>
struct Shared {
  static constexpr int kBytes = kTile / Type::kNumbers * Type::kBytes;
  static_assert(kTile % Type::kNumbers == 0 && kBytes % 16 == 0);
  alignas(16) Byte bytes[kBytes];
};

// resources: registers 44, shared 8192, threads 256, blocks 5
template <class Type>
__global__ void __launch_bounds__(kThreads) dequantize_tiles(DequantizeCall call) {
  Shared<Type>& s = block_shared<Shared<Type>>();
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * kTile;
  const std::int64_t n_left = call.rows * call.cols - first;
  const int n = static_cast<int>(min(n_left, static_cast<std::int64_t>(kTile)));
  copy_tile(s.bytes,
            static_cast<const Byte*>(call.blocks) + blockIdx.x * std::int64_t{Shared<Type>::kBytes},
            n / Type::kNumbers * Type::kBytes);
  __syncthreads();

  const int mine = kEach * threadIdx.x;
  if (mine >= n) return;
  const Eight numbers =
      Type::decode(s.bytes + mine / Type::kNumbers * Type::kBytes, mine % Type::kNumbers);
  const int n_mine = min(n - mine, kEach);
  unsigned bits[kEach];
  int first_bad = kEach;
  QAQ_UNROLL
  for (int i = kEach - 1; i >= 0; --i) {
    bits[i] = bits_of(numbers.x[i], call.dtype);
    if (is_bad(bits[i], call.dtype)) first_bad = i;
  }
  if (first_bad < n_mine) {
    atomicMin(call.bad,
              static_cast<unsigned long long>(call.first_index + first + mine + first_bad));
  }
  store(call, first + mine, bits, n_mine, reinterpret_cast<std::uintptr_t>(call.out) % 16 == 0);
}

template <class Type>
cudaError_t launch_type(const DequantizeCall& call, cudaStream_t stream) {
  if (call.cols % Type::kNumbers != 0) return cudaErrorInvalidValue;
  const std::int64_t n_tiles = (call.rows * call.cols + kTile - 1) / kTile;
  return launch(dequantize_tiles<Type>, static_cast<unsigned>(n_tiles), kThreads, 0, stream, call);
}

bool is_aligned(const void* at, std::int64_t bytes) {
  return reinterpret_cast<std::uintptr_t>(at) % static_cast<std::uintptr_t>(bytes) == 0;
}

}  // namespace

cudaError_t dequantize_weights(const DequantizeCall& call, cudaStream_t stream) {
  if (call.rows == 0 || call.cols == 0) return cudaSuccess;
  if (!is_aligned(call.blocks, 2) || !is_aligned(call.out, bytes_of(call.dtype))) {
    return cudaErrorInvalidValue;
  }
  switch (call.type) {
    case WeightType::f32:
      return launch_type<F32>(call, stream);
    case WeightType::f16:
      return launch_type<F16>(call, stream);
    case WeightType::bf16:
      return launch_type<Bf16>(call, stream);
    case WeightType::q8_0:
      return launch_type<Q8_0>(call, stream);
    case WeightType::q4_0:
      return launch_type<Q4_0>(call, stream);
    case WeightType::q4_1:
      return launch_type<Q4_1>(call, stream);
    case WeightType::q5_0:
      return launch_type<Q5_0>(call, stream);
    case WeightType::q5_1:
      return launch_type<Q5_1>(call, stream);
    case WeightType::q3_k:
      return launch_type<Q3_K>(call, stream);
    case WeightType::q4_k:
      return launch_type<Q4_K>(call, stream);
    case WeightType::q5_k:
      return launch_type<Q5_K>(call, stream);
    case WeightType::q6_k:
      return launch_type<Q6_K>(call, stream);
    case WeightType::iq4_nl:
      return launch_type<Iq4Nl>(call, stream);
    case WeightType::iq4_xs:
      return launch_type<Iq4Xs>(call, stream);
  }
  return cudaErrorInvalidValue;
}

}  // namespace qaq::cuda
