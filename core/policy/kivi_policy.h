#pragma once

#include <algorithm>

#include "core/policy/codec_policy.h"
#include "core/policy/policy_budget.h"
#include "core/quant/kivi_residual.h"

namespace qaq {

struct KiviParams {
  int k_bits = 2;
  int v_bits = 2;
  std::int64_t group_size = 128;
  std::int64_t residual_length = 128;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "k_bits", .help = "Of keys' codes", .unit = "bits", .min = 1, .max = 8},
      self.k_bits);
    v(
        ParameterInfo{
            .name = "v_bits", .help = "Of values' codes", .unit = "bits", .min = 1, .max = 8},
        self.v_bits);
    v(ParameterInfo{.name = "group_size",
                    .help =
                        "Tokens of a key's channel, and channels of a token's value, that share "
                        "a scale and a minimum (of values no more than a head has)",
                    .unit = "values",
                    .min = 1,
                    .max = 1 << 24},
      self.group_size);
    v(ParameterInfo{.name = "residual_length",
                    .help =
                        "The newest tokens that are left exact: of values so many, of keys up to "
                        "so many, until they fill whole groups; a multiple of group_size",
                    .unit = "tokens",
                    .min = 1,
                    .max = 1 << 24},
      self.residual_length);
  }
};
inline void validate(const KiviParams&) {}  // groups are held against a head's channels

/// Keys by channel, values by token, the newest exact (arXiv 2402.02750). Section 8 of the
/// mathematics, kivi.
class KiviPolicy : public CodecPolicy<KiviParams> {
 public:
  using CodecPolicy::CodecPolicy;
  std::string_view name() const override { return "kivi"; }
  /// Of residuals that are no multiple of their groups nothing comes.
  static PolicyBudget budget() {
    return {.choices = {{"k_bits", {"1", "2", "3", "4", "8"}},
                        {"v_bits", {"1", "2", "3", "4", "8"}},
                        {"group_size", {"128", "64", "32", "16", "8"}},
                        {"residual_length", {"128", "96", "64", "32", "16", "8"}}}};
  }

 protected:
  std::shared_ptr<const CacheCodec> codec(CacheSide side, const CacheShape& shape) const override {
    const KiviParams& own = params();
    require_kivi_groups(own.group_size, own.residual_length, shape.head_dim);
    if (side == CacheSide::key) {
      return group_cache_codec({own.k_bits, GroupAxis::channel, own.group_size}, shape,
                               kivi_quantized_keys(shape.n_tokens, own.residual_length));
    }
    return group_cache_codec(
        {own.v_bits, GroupAxis::token, std::min(own.group_size, shape.head_dim)}, shape,
        kivi_quantized_values(shape.n_tokens, own.residual_length));
  }
};

}  // namespace qaq
