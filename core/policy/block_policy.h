#pragma once

#include "core/policy/codec_policy.h"
#include "core/policy/policy_budget.h"

namespace qaq {

/// How ggml stores a cache.
enum class CacheType { f16, q8_0, q4_0 };
template <>
struct ChoiceNames<CacheType> {
  static constexpr std::array<std::string_view, 3> names{"f16", "q8_0", "q4_0"};
};

enum class BlockRotation { none, hadamard };
template <>
struct ChoiceNames<BlockRotation> {
  static constexpr std::array<std::string_view, 2> names{"none", "hadamard"};
};

struct BlockParams {
  CacheType cache_type_k = CacheType::q8_0;
  CacheType cache_type_v = CacheType::q8_0;
  BlockRotation rotate = BlockRotation::none;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "cache_type_k",
                    .help = "Of keys: exact, or blocks of 32 channels in 8.5 or 4.5 bits a value"},
      self.cache_type_k);
    v(ParameterInfo{.name = "cache_type_v", .help = "Of values"}, self.cache_type_v);
    v(ParameterInfo{.name = "rotate",
                    .help = "Turn rows by a Hadamard matrix before they are quantized, as recent "
                            "llama.cpp does: what one channel loses is spread over all"},
      self.rotate);
  }
};
inline void validate(const BlockParams&) {}

/// llama.cpp's caches of type q8_0 or q4_0. Section 8 of the mathematics.
template <CacheType kType>
class BlockPolicy : public CodecPolicy<BlockParams> {
 public:
  using CodecPolicy::CodecPolicy;
  std::string_view name() const override {
    return ChoiceNames<CacheType>::names[static_cast<std::size_t>(kType)];
  }
  /// It costs what it costs.
  static PolicyBudget budget() { return {}; }
  static BlockParams defaults() { return {.cache_type_k = kType, .cache_type_v = kType}; }

 protected:
  std::shared_ptr<const CacheCodec> codec(CacheSide side, const CacheShape& shape) const override {
    const CacheType type = side == CacheSide::key ? params().cache_type_k : params().cache_type_v;
    if (type == CacheType::f16) return nullptr;
    return block_cache_codec(type == CacheType::q8_0 ? WeightType::q8_0 : WeightType::q4_0, shape,
                             params().rotate == BlockRotation::hadamard);
  }
};

}  // namespace qaq
