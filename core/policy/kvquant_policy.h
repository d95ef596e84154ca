#pragma once

#include <memory>

#include "core/policy/cache_policy.h"
#include "core/policy/policy_budget.h"
#include "core/quant/codebook_cache_codec.h"

namespace qaq {

struct KvquantParams {
  int abits = 4;
  double sparsity_threshold = 0.99;
  bool nuq = true;
  std::int64_t first_few_fp16 = 0;
  bool norm = false;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "abits", .help = "Of each code", .unit = "bits", .min = 2, .max = 5},
      self.abits);
    v(ParameterInfo{.name = "sparsity_threshold",
                    .help = "Share of values that are coded; the others, half at each end of a "
                            "key's channel or a token's values, are kept exactly",
                    .min = 0.5,
                    .max = 1,
                    .slider_min = 0.9,
                    .slider_max = 1},
      self.sparsity_threshold);
    v(ParameterInfo{.name = "nuq",
                    .help = "Codes stand for centroids that were calibrated; off: for equal steps"},
      self.nuq);
    v(ParameterInfo{.name = "first_few_fp16",
                    .help = "The oldest tokens that are left exact; 1 to 5 are advised",
                    .unit = "tokens",
                    .min = 0,
                    .max = 1 << 24,
                    .slider_min = 0,
                    .slider_max = 8},
      self.first_few_fp16);
    v(ParameterInfo{.name = "norm",
                    .help = "Q-Norm: centroids get back the values' mean and deviation, meant for "
                            "2 bits (upstream it does not run as published)"},
      self.norm);
  }
};

/// KVQuant (arXiv 2401.18079): keys before RoPE by channel, values by token, codebooks that were
/// calibrated, outliers exact. Without a calibration (calibrated()) it is calibrated on the cache
/// that it codes. Section 8 of the mathematics, kvquant; weights of k-means are 1, and outliers
/// have no cap.
class KvquantPolicy : public CachePolicy {
 public:
  static PolicyBudget budget() {
    return {.choices = {{"abits", {"2", "3", "4", "5"}},
                        {"sparsity_threshold", {"1", "0.995", "0.99", "0.98", "0.96"}}}};
  }

  explicit KvquantPolicy(const KvquantParams& params) : params_(params) {}

  std::string_view name() const override { return "kvquant"; }
  std::vector<Parameter> parameters() const override { return list_parameters(params_); }
  PolicyNeeds needs(CacheSide side) const override;
  Plan plan(const PolicyView& view) const override;
  std::shared_ptr<const CachePolicy> calibrated(const CalibrationView& view) const override;

 private:
  CodebookSpec spec(CacheSide side) const;

  KvquantParams params_;
  std::shared_ptr<const CacheCodebooks> key_, value_;  // of a calibration; null: none
};

}  // namespace qaq
