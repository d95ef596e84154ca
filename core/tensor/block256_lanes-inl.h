// Vectors of the types stored in blocks of 256 numbers; see block_lanes-inl.h. Included once for
// each Highway target, after highway.h. How the bits lie is in block_decoders.cpp.

#if defined(QAQ_CORE_TENSOR_BLOCK256_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef QAQ_CORE_TENSOR_BLOCK256_LANES_INL_H_
#undef QAQ_CORE_TENSOR_BLOCK256_LANES_INL_H_
#else
#define QAQ_CORE_TENSOR_BLOCK256_LANES_INL_H_
#endif

#include <utility>

#include "core/tensor/code_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace qaq {
namespace HWY_NAMESPACE {

// A block whose codes lie one a byte, with a float for each kPerScale of them.
template <std::int64_t kPerScale>
struct UnpackedBlock {
  static constexpr std::int64_t kElements = 256;
  static constexpr std::size_t kScales = static_cast<std::size_t>(kElements / kPerScale);

  HWY_INLINE void load(std::int64_t group, Vector* out) const {
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      const std::size_t at = static_cast<std::size_t>(group * kGroup) + v * kLanes;
      const Vector scale = hn::Set(Floats(), scales[at / static_cast<std::size_t>(kPerScale)]);
      out[v] = hn::Mul(scale, floats_of(codes + at));
    }
  }

  HWY_ALIGN std::int8_t codes[kElements];
  HWY_ALIGN float scales[kScales];
};

// Calls body(constant) for the constants 0 to kCount - 1: shifts by a constant are cheaper.
template <int kCount, class Body>
HWY_INLINE void unrolled(Body body) {
  [&]<int... k>(std::integer_sequence<int, k...>) HWY_ATTR {
    (body(std::integral_constant<int, k>()), ...);
  }
  (std::make_integer_sequence<int, kCount>());
}

// out[i] = d scales[i], in float32 as decode_row has it.
template <std::size_t kCount>
HWY_INLINE void multiply_scales(float d, const std::int8_t* scales, float* out) {
  const hn::CappedTag<float, kCount> f;
  for (std::size_t i = 0; i < kCount; i += hn::MaxLanes(f)) {
    const auto s = hn::LoadU(hn::Rebind<std::int8_t, decltype(f)>(), scales + i);
    const auto number = hn::ConvertTo(f, hn::PromoteTo(hn::RebindToSigned<decltype(f)>(), s));
    hn::StoreU(hn::Mul(hn::Set(f, d), number), f, out + i);
  }
}

using FourInts = hn::FixedTag<std::uint32_t, 4>;

struct Q3KBlock : UnpackedBlock<16> {
  static constexpr std::int64_t kBytes = 110;

  HWY_INLINE explicit Q3KBlock(const std::uint8_t* block) {
    const std::uint8_t *high_bits = block, *low_bits = block + 32;
    for (std::size_t lane = 0; lane < 32; lane += kCodeLanes) {
      const auto high = hn::LoadU(Codes(), high_bits + lane);
      unrolled<8>([&](auto group) HWY_ATTR {
        const auto low = hn::LoadU(Codes(), low_bits + group / 4 * 32 + lane);
        const auto q = hn::Or(masked<2 * (group % 4)>(low, 3), masked<group - 2>(high, 4));
        store_codes(hn::Sub(q, hn::Set(Codes(), 4)), codes + group * 32 + lane);
      });
    }
    unpack_scales(block + 96, half_at(block + 108));
  }

 private:
  // Low bits: eight bytes, and the same moved by four. High bits: four bytes, and the same moved by
  // two, four and six.
  HWY_INLINE void unpack_scales(const std::uint8_t* packed, float d) {
    const FourInts four;
    const hn::FixedTag<std::uint64_t, 2> two;
    const hn::FixedTag<std::int8_t, 16> bytes;
    const auto low = hn::Set(two, number_at<std::uint64_t>(packed));
    const auto high = hn::Set(four, number_at<std::uint32_t>(packed + 8));
    const auto low_bits = hn::Shr(low, hn::ShiftLeft<2>(hn::Iota(two, 0)));
    const auto high_bits = hn::Shr(high, hn::ShiftLeft<1>(hn::Iota(four, 0)));
    const auto s =
        hn::Or(hn::And(hn::BitCast(bytes, low_bits), hn::Set(bytes, 15)),
               hn::BitCast(bytes, hn::ShiftLeft<4>(hn::And(high_bits, hn::Set(four, 0x03030303)))));
    HWY_ALIGN std::int8_t integers[16];
    hn::Store(hn::Sub(s, hn::Set(bytes, 32)), bytes, integers);
    multiply_scales<16>(d, integers, scales);
  }
};

// q4_k and q5_k, after their codes: number i is (d s) q - (e m).
struct BlockWithMinima : UnpackedBlock<32> {
  // (d s) q has at most 22 bits, so it is exact, and fusing it changes nothing.
  HWY_INLINE void load(std::int64_t group, Vector* out) const {
    const Vector scale = hn::Set(Floats(), scales[group]);
    const Vector minimum = hn::Set(Floats(), minima[group]);
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      const std::size_t at = static_cast<std::size_t>(group * kGroup) + v * kLanes;
      out[v] = hn::MulSub(scale, floats_of(codes + at), minimum);
    }
  }

  // From the start of a block: d, e and 12 packed bytes. Reads 4 bytes more, which are codes.
  HWY_INLINE void unpack_scales(const std::uint8_t* block) {
    const FourInts four;
    const hn::FixedTag<std::uint8_t, 16> any_place;
    const auto words = hn::BitCast(four, hn::LoadU(any_place, block + 4));
    const auto last = hn::Broadcast<2>(words);
    const auto lower = hn::And(words, hn::Set(four, 0x3f3f3f3f));
    const auto upper = hn::Or(hn::And(hn::InterleaveLower(four, last, hn::ShiftRight<4>(last)),
                                      hn::Set(four, 0x0f0f0f0f)),
                              hn::And(hn::ShiftRight<2>(words), hn::Set(four, 0x30303030)));
    const hn::FixedTag<std::int8_t, 16> bytes;
    HWY_ALIGN std::int8_t integers[16];  // eight s, eight m
    hn::Store(hn::BitCast(bytes, hn::InterleaveLower(four, lower, upper)), bytes, integers);
    multiply_scales<8>(half_at(block), integers, scales);
    multiply_scales<8>(half_at(block + 2), integers + 8, minima);
    // From memory, a load spreads a number over a vector; a compiler that remembers the registers
    // they came from shuffles twice for each.
    const BlockWithMinima* self = this;
    asm volatile("" : "+r"(self) : : "memory");
  }

  HWY_ALIGN float minima[kScales];
};

struct Q4KBlock : BlockWithMinima {
  static constexpr std::int64_t kBytes = 144;

#if HWY_TARGET == HWY_AVX3
  HWY_INLINE explicit Q4KBlock(const std::uint8_t* block) : pairs(block + 16) {
    unpack_scales(block);
  }

  HWY_INLINE void load(std::int64_t group, Vector* out) const {
    const Floats f;
    const Vector scale = hn::Set(f, scales[group]), minimum = hn::Set(f, minima[group]);
    const Vector table = hn::MulSub(scale, hn::Iota(f, 0.0f), minimum);
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      const std::uint8_t* from = pairs + group / 2 * 32 + v * kLanes;
      const auto both = hn::PromoteTo(Ints(), hn::LoadU(Bytes(), from));
      out[v] = look_up(table, group % 2 ? hn::ShiftRight<4>(both) : both);
    }
  }

  const std::uint8_t* pairs;
#else
  HWY_INLINE explicit Q4KBlock(const std::uint8_t* block) {
    for (std::size_t at = 0; at < 128; at += kCodeLanes) {
      const auto both = hn::LoadU(Codes(), block + 16 + at);
      std::int8_t* out = codes + at / 32 * 64 + at % 32;
      store_codes(masked<0>(both, 15), out);
      store_codes(masked<4>(both, 15), out + 32);
    }
    unpack_scales(block);
  }
#endif
};

struct Q5KBlock : BlockWithMinima {
  static constexpr std::int64_t kBytes = 176;

  HWY_INLINE explicit Q5KBlock(const std::uint8_t* block) {
    for (std::size_t lane = 0; lane < 32; lane += kCodeLanes) {
      const auto high = hn::LoadU(Codes(), block + 16 + lane);
      unrolled<4>([&](auto pair) HWY_ATTR {
        const auto both = hn::LoadU(Codes(), block + 48 + pair * 32 + lane);
        std::int8_t* out = codes + pair * 64 + lane;
        store_codes(hn::Or(masked<0>(both, 15), masked<2 * pair - 4>(high, 16)), out);
        store_codes(hn::Or(masked<4>(both, 15), masked<2 * pair - 3>(high, 16)), out + 32);
      });
    }
    unpack_scales(block);
  }
};

struct Q6KBlock : UnpackedBlock<16> {
  static constexpr std::int64_t kBytes = 210;

  HWY_INLINE explicit Q6KBlock(const std::uint8_t* block) {
    for (std::size_t side = 0; side < 2; ++side) {
      for (std::size_t lane = 0; lane < 32; lane += kCodeLanes) {
        const auto high = hn::LoadU(Codes(), block + 128 + side * 32 + lane);
        unrolled<4>([&](auto quarter) HWY_ATTR {
          const auto low = hn::LoadU(Codes(), block + side * 64 + quarter % 2 * 32 + lane);
          const auto q =
              hn::Or(masked<quarter / 2 * 4>(low, 15), masked<2 * quarter - 4>(high, 48));
          store_codes(hn::Sub(q, hn::Set(Codes(), 32)), codes + side * 128 + quarter * 32 + lane);
        });
      }
    }
    multiply_scales<16>(half_at(block + 208), reinterpret_cast<const std::int8_t*>(block + 192),
                        scales);
  }
};

struct Iq4XsBlock {
  static constexpr std::int64_t kElements = 256, kBytes = 136;
  const std::uint8_t* block;
  HWY_ALIGN float scales[8];

  HWY_INLINE explicit Iq4XsBlock(const std::uint8_t* from) : block(from) {
    const hn::CappedTag<float, 8> f;
    const hn::RebindToSigned<decltype(f)> i;
    const hn::RebindToUnsigned<decltype(f)> u;
    for (std::size_t group = 0; group < 8; group += hn::MaxLanes(f)) {
      const auto twice = hn::ShiftLeft<1>(hn::Iota(u, static_cast<std::uint32_t>(group)));
      const auto high = hn::Shr(hn::Set(u, number_at<std::uint16_t>(block + 2)), twice);
      const auto low =
          hn::Shr(hn::Set(u, number_at<std::uint32_t>(block + 4)), hn::Add(twice, twice));
      const auto s =
          hn::Or(hn::And(low, hn::Set(u, 15)), hn::ShiftLeft<4>(hn::And(high, hn::Set(u, 3))));
      const auto number = hn::ConvertTo(f, hn::Sub(hn::BitCast(i, s), hn::Set(i, 32)));
      hn::Store(hn::Mul(hn::Set(f, half_at(block)), number), f, scales + group);
    }
  }

  HWY_INLINE void load(std::int64_t group, Vector* out) const {
    iq4_numbers(hn::Set(Floats(), scales[group]), block + 8 + group * 16, out);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace qaq
HWY_AFTER_NAMESPACE();

#endif
