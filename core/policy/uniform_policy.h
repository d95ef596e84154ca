#pragma once

#include "core/policy/codec_policy.h"
#include "core/policy/policy_budget.h"

namespace qaq {

struct UniformSideParams {
  int bits = 4;
  GroupAxis axis = GroupAxis::token;
  std::int64_t group_size = 0;
  StoreScale store_scale = StoreScale::f16;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "bits", .help = "Of each code", .unit = "bits", .min = 1, .max = 8},
      self.bits);
    v(ParameterInfo{.name = "axis",
                    .help = "What shares a scale: channels of one token, or tokens of one channel"},
      self.axis);
    v(ParameterInfo{.name = "group_size",
                    .help = "Values that share it; 0: the whole row, a token's channels of one KV "
                            "head or all tokens of a channel",
                    .unit = "values",
                    .min = 0,
                    .max = 1 << 24},
      self.group_size);
    v(ParameterInfo{.name = "store_scale",
                    .help =
                        "Number type of each group's scale and minimum, which are rounded to it "
                        "before use"},
      self.store_scale);
  }
};

struct UniformParams {
  UniformSideParams key, value;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v.section("key", [&](auto& inner) { UniformSideParams::visit(self.key, inner); });
    v.section("value", [&](auto& inner) { UniformSideParams::visit(self.value, inner); });
  }
};
inline void validate(const UniformParams&) {}

/// The same bits for all, between each group's smallest and largest value: KIVI's arithmetic with
/// no residual. Section 8 of the mathematics, uniform.
class UniformPolicy : public CodecPolicy<UniformParams> {
 public:
  using CodecPolicy::CodecPolicy;
  std::string_view name() const override { return "uniform"; }
  static PolicyBudget budget() {
    return {.choices = {
                {"bits", {"1", "2", "3", "4", "5", "6", "7", "8"}},
                {"group_size", {"0", "128", "96", "64", "48", "32", "24", "16", "12", "8", "6"}},
                {"axis", {"token", "channel"}}}};
  }

 protected:
  std::shared_ptr<const CacheCodec> codec(CacheSide side, const CacheShape& shape) const override {
    const UniformSideParams& own = side == CacheSide::key ? params().key : params().value;
    return group_cache_codec({own.bits, own.axis, own.group_size, own.store_scale}, shape,
                             shape.n_tokens);
  }
};

}  // namespace qaq
