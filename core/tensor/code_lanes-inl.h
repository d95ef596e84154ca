// Integer codes of weights into vectors of floats: what block_lanes-inl.h is made of. Included once
// for each Highway target, after highway.h.

#if defined(QAQ_CORE_TENSOR_CODE_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef QAQ_CORE_TENSOR_CODE_LANES_INL_H_
#undef QAQ_CORE_TENSOR_CODE_LANES_INL_H_
#else
#define QAQ_CORE_TENSOR_CODE_LANES_INL_H_
#endif

#include <cstring>

#include "core/base/half.h"
#include "core/tensor/block_decoders.h"

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

template <class T>
HWY_INLINE T number_at(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

HWY_INLINE float half_at(const std::uint8_t* bytes) {
  const auto bits = number_at<std::uint16_t>(bytes);
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
  return _cvtsh_ss(bits);
#else
  return float_from_half(bits);
#endif
}

// Two halves, each in all lanes of a vector. Reads eight bytes.
HWY_INLINE void spread_halves(const std::uint8_t* bytes, Vector* first, Vector* second) {
#if HWY_TARGET == HWY_AVX3
  // Converted at once and without a way through general registers.
  const __m128 both = _mm_cvtph_ps(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes)));
  first->raw = _mm512_broadcastss_ps(both);
  second->raw = _mm512_permutexvar_ps(_mm512_set1_epi32(1), _mm512_castps128_ps512(both));
#else
  *first = hn::Set(Floats(), half_at(bytes));
  *second = hn::Set(Floats(), half_at(bytes + 2));
#endif
}

// kLanes codes of one signed byte each, as floats.
HWY_INLINE Vector floats_of(const std::int8_t* codes) {
  return hn::ConvertTo(Floats(), hn::PromoteTo(Ints(), hn::LoadU(SignedBytes(), codes)));
}

// Up to 32 codes, one a byte: bits of several of them are moved and masked at a time.
using Codes = hn::CappedTag<std::uint8_t, 32>;
constexpr std::size_t kCodeLanes = hn::MaxLanes(Codes());

// Every byte moved right by kRight bits (left where negative), and of that the bits of `mask`,
// which holds none that a neighbour was moved into.
template <int kRight>
HWY_INLINE hn::Vec<Codes> masked(hn::Vec<Codes> bytes, std::uint8_t mask) {
  auto pairs = hn::BitCast(hn::Repartition<std::uint16_t, Codes>(), bytes);
  if constexpr (kRight > 0) pairs = hn::ShiftRight<kRight>(pairs);
  if constexpr (kRight < 0) pairs = hn::ShiftLeft<-kRight>(pairs);
  return hn::And(hn::BitCast(Codes(), pairs), hn::Set(Codes(), mask));
}

HWY_INLINE void store_codes(hn::Vec<Codes> codes, std::int8_t* out) {
  hn::StoreU(hn::BitCast(hn::RebindToSigned<Codes>(), codes), hn::RebindToSigned<Codes>(), out);
}

// The 32 codes of a block whose 16 bytes hold number i in the low and number i + 16 in the high
// half of byte i.
HWY_INLINE void nibbles(const std::uint8_t* pairs, hn::Vec<Ints>* out) {
  constexpr std::size_t kHalf = kGroupVectors / 2;
  for (std::size_t v = 0; v < kHalf; ++v) {
    const auto both = hn::PromoteTo(Ints(), hn::LoadU(Bytes(), pairs + v * kLanes));
    out[v] = hn::And(both, hn::Set(Ints(), 15));
    out[kHalf + v] = hn::ShiftRight<4>(both);
  }
}

#if HWY_TARGET == HWY_AVX3
// table[q] of codes q in the low four bits; the permutation does not look at the others.
HWY_INLINE Vector look_up(Vector table, hn::Vec<Ints> codes) {
  return Vector{_mm512_permutexvar_ps(codes.raw, table.raw)};
}

// The same 32 numbers as of nibbles, code q being table[q].
HWY_INLINE void look_up(Vector table, const std::uint8_t* pairs, Vector* out) {
  const auto both = hn::PromoteTo(Ints(), hn::LoadU(Bytes(), pairs));
  out[0] = look_up(table, both);
  out[1] = look_up(table, hn::ShiftRight<4>(both));
}
#endif

// 32 numbers of iq4_nl and iq4_xs, dealt out as of nibbles, times scale.
HWY_INLINE void iq4_numbers(Vector scale, const std::uint8_t* pairs, Vector* out) {
#if HWY_TARGET == HWY_AVX3
  look_up(hn::Mul(scale, floats_of(kIq4Values)), pairs, out);
#else
  const hn::FixedTag<std::int8_t, 16> sixteen;
  const hn::FixedTag<std::uint8_t, 16> unsigned_sixteen;
  const auto values = hn::LoadU(sixteen, kIq4Values);
  const auto both = hn::LoadU(unsigned_sixteen, pairs);
  HWY_ALIGN std::int8_t codes[32];
  const auto low = hn::And(both, hn::Set(unsigned_sixteen, 15));
  hn::Store(hn::TableLookupBytes(values, hn::BitCast(sixteen, low)), sixteen, codes);
  const auto high = hn::ShiftRight<4>(both);
  hn::Store(hn::TableLookupBytes(values, hn::BitCast(sixteen, high)), sixteen, codes + 16);
  for (std::size_t v = 0; v < kGroupVectors; ++v) {
    out[v] = hn::Mul(scale, floats_of(codes + v * kLanes));
  }
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace qaq
HWY_AFTER_NAMESPACE();

#endif
