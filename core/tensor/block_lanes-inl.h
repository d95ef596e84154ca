// Weights from their stored blocks into vectors, for the file that includes it. Included once for
// each Highway target, after highway.h.
//
// To add a type: a struct that is made from the bytes of a block, with kElements, kBytes and
// load(group, out), which decodes the numbers [32 group, 32 group + 32) of the block exactly as
// decode_row does, and its case in with_blocks.

#if defined(QAQ_CORE_TENSOR_BLOCK_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef QAQ_CORE_TENSOR_BLOCK_LANES_INL_H_
#undef QAQ_CORE_TENSOR_BLOCK_LANES_INL_H_
#else
#define QAQ_CORE_TENSOR_BLOCK_LANES_INL_H_
#endif

#include <type_traits>

#include "core/tensor/block256_lanes-inl.h"
#include "core/tensor/block32_lanes-inl.h"
#include "core/tensor/code_lanes-inl.h"
#include "core/tensor/weight_block.h"

HWY_BEFORE_NAMESPACE();
namespace qaq {
namespace HWY_NAMESPACE {

// Of types of single numbers, 32 make a block here.
struct F32Block {
  static constexpr std::int64_t kElements = 32, kBytes = 128;
  const std::uint8_t* block;

  HWY_INLINE void load(std::int64_t, Vector* out) const {
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      const std::uint8_t* from = block + 4 * v * kLanes;
      // A file may place numbers at any byte.
      out[v] = hn::BitCast(Floats(), hn::LoadU(hn::Repartition<std::uint8_t, Floats>(), from));
    }
  }
};

struct F16Block {
  static constexpr std::int64_t kElements = 32, kBytes = 64;
  const std::uint8_t* block;

  HWY_INLINE void load(std::int64_t, Vector* out) const {
    const hn::Rebind<std::uint16_t, Floats> bits;
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      std::uint16_t numbers[kLanes];
      std::memcpy(numbers, block + 2 * v * kLanes, sizeof numbers);
      out[v] = hn::PromoteTo(Floats(), hn::BitCast(Halves(), hn::LoadU(bits, numbers)));
    }
  }
};

struct Bf16Block {
  static constexpr std::int64_t kElements = 32, kBytes = 64;
  const std::uint8_t* block;

  HWY_INLINE void load(std::int64_t, Vector* out) const {
    const hn::Rebind<std::uint16_t, Floats> bits;
    const hn::RebindToUnsigned<Floats> wide;
    for (std::size_t v = 0; v < kGroupVectors; ++v) {
      std::uint16_t numbers[kLanes];
      std::memcpy(numbers, block + 2 * v * kLanes, sizeof numbers);
      const auto high = hn::ShiftLeft<16>(hn::PromoteTo(wide, hn::LoadU(bits, numbers)));
      out[v] = hn::BitCast(Floats(), high);
    }
  }
};

// Calls body(std::type_identity) with the struct of the type.
template <class Body>
HWY_INLINE void with_blocks(WeightType type, Body body) {
  switch (type) {
    case WeightType::f32:
      return body(std::type_identity<F32Block>());
    case WeightType::f16:
      return body(std::type_identity<F16Block>());
    case WeightType::bf16:
      return body(std::type_identity<Bf16Block>());
    case WeightType::q8_0:
      return body(std::type_identity<Q8_0Block>());
    case WeightType::q4_0:
      return body(std::type_identity<Q4_0Block>());
    case WeightType::q4_1:
      return body(std::type_identity<Q4_1Block>());
    case WeightType::q5_0:
      return body(std::type_identity<Q5_0Block>());
    case WeightType::q5_1:
      return body(std::type_identity<Q5_1Block>());
    case WeightType::q3_k:
      return body(std::type_identity<Q3KBlock>());
    case WeightType::q4_k:
      return body(std::type_identity<Q4KBlock>());
    case WeightType::q5_k:
      return body(std::type_identity<Q5KBlock>());
    case WeightType::q6_k:
      return body(std::type_identity<Q6KBlock>());
    case WeightType::iq4_nl:
      return body(std::type_identity<Iq4NlBlock>());
    case WeightType::iq4_xs:
      return body(std::type_identity<Iq4XsBlock>());
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
