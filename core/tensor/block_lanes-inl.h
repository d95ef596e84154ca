// Weights from their stored blocks into vectors, for the file that includes it. Included once for
// each Highway target, after highway.h.
//
// To add a type: a struct with load(row, at, out), which decodes the 32 numbers from column `at` of
// a row exactly as decode_row does, and its case in with_blocks. Types without one go through
// decode_row.

#if defined(QAQ_CORE_TENSOR_BLOCK_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef QAQ_CORE_TENSOR_BLOCK_LANES_INL_H_
#undef QAQ_CORE_TENSOR_BLOCK_LANES_INL_H_
#else
#define QAQ_CORE_TENSOR_BLOCK_LANES_INL_H_
#endif

#include <cstring>

#include "core/base/half.h"
#include "core/tensor/weight_block.h"

HWY_BEFORE_NAMESPACE();
namespace qaq {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using Floats = hn::CappedTag<float, 16>;
using Vector = hn::Vec<Floats>;
constexpr std::int64_t kGroup = 32;  // numbers that are decoded at a time
constexpr std::size_t kLanes = hn::MaxLanes(Floats());
constexpr std::size_t kGroupVectors = static_cast<std::size_t>(kGroup) / kLanes;

using Ints = hn::RebindToSigned<Floats>;
using Bytes = hn::Rebind<std::uint8_t, Floats>;
using SignedBytes = hn::Rebind<std::int8_t, Floats>;
using Halves = hn::Rebind<hwy::float16_t, Floats>;

HWY_INLINE float half_at(const std::uint8_t* bytes) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  std::uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return _cvtsh_ss(bits);
#else
  std::uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return float_from_half(bits);
#endif
}

HWY_INLINE hn::Vec<Ints> bytes_as_ints(const std::uint8_t* bytes) {
  return hn::PromoteTo(Ints(), hn::LoadU(Bytes(), bytes));
}

struct F32Blocks {
  static HWY_INLINE void load(const std::uint8_t* row, std::int64_t at, Vector* out) {
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      const std::uint8_t* from = row + 4 * (static_cast<std::size_t>(at) + v * kLanes);
      // A file may place numbers at any byte.
      out[v] = hn::BitCast(Floats(), hn::LoadU(hn::Repartition<std::uint8_t, Floats>(), from));
    }
  }
};

struct F16Blocks {
  static HWY_INLINE void load(const std::uint8_t* row, std::int64_t at, Vector* out) {
    const hn::Rebind<std::uint16_t, Floats> bits;
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      std::uint16_t numbers[kLanes];
      std::memcpy(numbers, row + 2 * (static_cast<std::size_t>(at) + v * kLanes), sizeof numbers);
      out[v] = hn::PromoteTo(Floats(), hn::BitCast(Halves(), hn::LoadU(bits, numbers)));
    }
  }
};

struct Bf16Blocks {
  static HWY_INLINE void load(const std::uint8_t* row, std::int64_t at, Vector* out) {
    const hn::Rebind<std::uint16_t, Floats> bits;
    const hn::RebindToUnsigned<Floats> wide;
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      std::uint16_t numbers[kLanes];
      std::memcpy(numbers, row + 2 * (static_cast<std::size_t>(at) + v * kLanes), sizeof numbers);
      const auto high = hn::ShiftLeft<16>(hn::PromoteTo(wide, hn::LoadU(bits, numbers)));
      out[v] = hn::BitCast(Floats(), high);
    }
  }
};

struct Q8_0Blocks {
  static HWY_INLINE void load(const std::uint8_t* row, std::int64_t at, Vector* out) {
    const std::uint8_t* block = row + at / 32 * 34;
    const Vector d = hn::Set(Floats(), half_at(block));
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      const auto* codes = reinterpret_cast<const std::int8_t*>(block + 2 + v * kLanes);
      const auto q = hn::PromoteTo(Ints(), hn::LoadU(SignedBytes(), codes));
      out[v] = hn::Mul(d, hn::ConvertTo(Floats(), q));
    }
  }
};

// The 32 codes of a block whose 16 bytes hold number i in the low and number i + 16 in the high
// half of byte i.
HWY_INLINE void nibbles(const std::uint8_t* codes, hn::Vec<Ints>* out) {
  constexpr std::size_t kHalf = kGroupVectors / 2;
  for (std::size_t v = 0; v < kHalf; ++v) {
    const auto both = bytes_as_ints(codes + v * kLanes);
    out[v] = hn::And(both, hn::Set(Ints(), 15));
    out[kHalf + v] = hn::ShiftRight<4>(both);
  }
}

// The numbers of a block of 4-bit codes, number q being table[q].
#if HWY_TARGET == HWY_AVX3
HWY_INLINE void look_up(Vector table, const std::uint8_t* codes, Vector* out) {
  // The permutation looks at the low four bits of an index alone.
  const auto both = bytes_as_ints(codes);
  out[0] = Vector{_mm512_permutexvar_ps(both.raw, table.raw)};
  out[1] = Vector{_mm512_permutexvar_ps(hn::ShiftRight<4>(both).raw, table.raw)};
}
#endif

struct Q4_0Blocks {
  static HWY_INLINE void load(const std::uint8_t* row, std::int64_t at, Vector* out) {
    const std::uint8_t* block = row + at / 32 * 18;
    const Floats f;
    const Vector d = hn::Set(f, half_at(block));
#if HWY_TARGET == HWY_AVX3
    look_up(hn::Mul(d, hn::Sub(hn::Iota(f, 0.0f), hn::Set(f, 8.0f))), block + 2, out);
#else
    hn::Vec<Ints> q[kGroupVectors];
    nibbles(block + 2, q);
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      out[v] = hn::Mul(d, hn::ConvertTo(f, hn::Sub(q[v], hn::Set(Ints(), 8))));
    }
#endif
  }
};

struct Q4_1Blocks {
  static HWY_INLINE void load(const std::uint8_t* row, std::int64_t at, Vector* out) {
    const std::uint8_t* block = row + at / 32 * 20;
    const Floats f;
    const Vector d = hn::Set(f, half_at(block)), m = hn::Set(f, half_at(block + 2));
    // d q has at most 15 bits, so it is exact, and fusing it changes nothing.
#if HWY_TARGET == HWY_AVX3
    look_up(hn::MulAdd(d, hn::Iota(f, 0.0f), m), block + 4, out);
#else
    hn::Vec<Ints> q[kGroupVectors];
    nibbles(block + 4, q);
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      out[v] = hn::MulAdd(d, hn::ConvertTo(f, q[v]), m);
    }
#endif
  }
};

// Any type, through decode_row: the block that holds column `at`, whole.
template <WeightType kType, std::int64_t kElements, std::int64_t kBytes>
struct DecodedBlocks {
  static HWY_INLINE void load(const std::uint8_t* row, std::int64_t at, Vector* out) {
    HWY_ALIGN float numbers[kElements];
    const auto* block = reinterpret_cast<const std::byte*>(row + at / kElements * kBytes);
    decode_row(kType, {block, static_cast<std::size_t>(kBytes)},
               {numbers, static_cast<std::size_t>(kElements)});
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      out[v] = hn::LoadU(Floats(), numbers + at % kElements + v * kLanes);
    }
  }
};

// Calls body with the struct of the type.
template <class Body>
HWY_INLINE void with_blocks(WeightType type, Body body) {
  switch (type) {
    case WeightType::f32:
      return body(F32Blocks());
    case WeightType::f16:
      return body(F16Blocks());
    case WeightType::bf16:
      return body(Bf16Blocks());
    case WeightType::q8_0:
      return body(Q8_0Blocks());
    case WeightType::q4_0:
      return body(Q4_0Blocks());
    case WeightType::q4_1:
      return body(Q4_1Blocks());
    case WeightType::q5_0:
      return body(DecodedBlocks<WeightType::q5_0, 32, 22>());
    case WeightType::q5_1:
      return body(DecodedBlocks<WeightType::q5_1, 32, 24>());
    case WeightType::q3_k:
      return body(DecodedBlocks<WeightType::q3_k, 256, 110>());
    case WeightType::q4_k:
      return body(DecodedBlocks<WeightType::q4_k, 256, 144>());
    case WeightType::q5_k:
      return body(DecodedBlocks<WeightType::q5_k, 256, 176>());
    case WeightType::q6_k:
      return body(DecodedBlocks<WeightType::q6_k, 256, 210>());
    case WeightType::iq4_nl:
      return body(DecodedBlocks<WeightType::iq4_nl, 32, 18>());
    case WeightType::iq4_xs:
      return body(DecodedBlocks<WeightType::iq4_xs, 256, 136>());
  }
}

// Numbers [first, last) of a row whose length is no multiple of kGroup: types of one number a
// block.
HWY_INLINE void decode_rest(WeightType type, const std::uint8_t* row, std::int64_t first,
                            std::int64_t last, float* out) {
  if (first == last) return;
  const auto* bytes = reinterpret_cast<const std::byte*>(row) + row_bytes(type, first);
  decode_row(type, {bytes, static_cast<std::size_t>(row_bytes(type, last - first))},
             {out + first, static_cast<std::size_t>(last - first)});
}

HWY_INLINE float dot_rest(WeightType type, const std::uint8_t* row, std::int64_t first,
                          std::int64_t last, const float* x) {
  if (first == last) return 0;
  float numbers[kGroup];
  decode_rest(type, row, first, last, numbers - first);
  float sum = 0;
  for (std::int64_t i = first; i < last; ++i) sum += numbers[i - first] * x[i];
  return sum;
}

}  // namespace HWY_NAMESPACE
}  // namespace qaq
HWY_AFTER_NAMESPACE();

#endif
