// Vectors of the types stored in blocks of 32 numbers; see block_lanes-inl.h. Included once for
// each Highway target, after highway.h.

#if defined(QAQ_CORE_TENSOR_BLOCK32_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef QAQ_CORE_TENSOR_BLOCK32_LANES_INL_H_
#undef QAQ_CORE_TENSOR_BLOCK32_LANES_INL_H_
#else
#define QAQ_CORE_TENSOR_BLOCK32_LANES_INL_H_
#endif

#include "core/tensor/code_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace qaq {
namespace HWY_NAMESPACE {

struct Q8_0Block {
  static constexpr std::int64_t kElements = 32, kBytes = 34;
  const std::uint8_t* block;

  HWY_INLINE void load(std::int64_t, Vector* out) const {
    const Vector d = hn::Set(Floats(), half_at(block));
    const auto* codes = reinterpret_cast<const std::int8_t*>(block + 2);
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      out[v] = hn::Mul(d, floats_of(codes + v * kLanes));
    }
  }
};

struct Q4_0Block {
  static constexpr std::int64_t kElements = 32, kBytes = 18;
  const std::uint8_t* block;

  HWY_INLINE void load(std::int64_t, Vector* out) const {
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

struct Q4_1Block {
  static constexpr std::int64_t kElements = 32, kBytes = 20;
  const std::uint8_t* block;

  HWY_INLINE void load(std::int64_t, Vector* out) const {
    const Floats f;
    Vector d, m;
    spread_halves(block, &d, &m);
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

// Five-bit codes one a byte, less `kLess` (0 or 16), from four bytes of fifth bits and 16 as of
// nibbles.
template <int kLess>
HWY_INLINE void five_bits(const std::uint8_t* from, std::int8_t* codes) {
  const hn::FixedTag<std::uint8_t, 16> half;
  const hn::FixedTag<std::int8_t, 16> as_signed;
  const auto both = hn::LoadU(half, from + 4);
  // q - 16 is the low four bits where the fifth is set, and those with a sign where it is not.
  const auto add_fifth = [&](auto low, const std::uint8_t* fifth) HWY_ATTR {
    const auto mask = hn::LoadMaskBits(half, fifth);
    const auto bits = kLess ? hn::IfThenZeroElse(mask, hn::Set(half, 0xf0))
                            : hn::IfThenElseZero(mask, hn::Set(half, 0x10));
    return hn::BitCast(as_signed, hn::Or(low, bits));
  };
  hn::Store(add_fifth(hn::And(both, hn::Set(half, 15)), from), as_signed, codes);
  hn::Store(add_fifth(hn::ShiftRight<4>(both), from + 2), as_signed, codes + 16);
}

struct Q5_0Block {
  static constexpr std::int64_t kElements = 32, kBytes = 22;
  const std::uint8_t* block;

  HWY_INLINE void load(std::int64_t, Vector* out) const {
    const Vector d = hn::Set(Floats(), half_at(block));
    HWY_ALIGN std::int8_t codes[32];
    five_bits<16>(block + 2, codes);
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      out[v] = hn::Mul(d, floats_of(codes + v * kLanes));
    }
  }
};

struct Q5_1Block {
  static constexpr std::int64_t kElements = 32, kBytes = 24;
  const std::uint8_t* block;

  HWY_INLINE void load(std::int64_t, Vector* out) const {
    Vector d, m;
    spread_halves(block, &d, &m);
    HWY_ALIGN std::int8_t codes[32];
    five_bits<0>(block + 4, codes);
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      out[v] = hn::MulAdd(d, floats_of(codes + v * kLanes), m);
    }
  }
};

struct Iq4NlBlock {
  static constexpr std::int64_t kElements = 32, kBytes = 18;
  const std::uint8_t* block;

  HWY_INLINE void load(std::int64_t, Vector* out) const {
    iq4_numbers(hn::Set(Floats(), half_at(block)), block + 2, out);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace qaq
HWY_AFTER_NAMESPACE();

#endif
