#include "core/policy/qaq_policy.h"

#include <algorithm>
#include <cassert>

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/policy/bit_rule.h"
#include "core/quant/arith.h"

namespace qaq {
namespace {

void check_outliers_ratio(double ratio, CacheSide side, std::int64_t unit_size) {
  if (ratio == 0 || unit_size < 2 || k_low(ratio, unit_size) < k_high(ratio, unit_size)) return;
  refuse_usage(
      {.place = side == CacheSide::key ? "key.outliers_ratio" : "value.outliers_ratio",
       .what = cat(number_text(ratio), " makes outliers of all ", unit_size, " values of a unit"),
       .cure = "give a smaller ratio, 0, or a coarser level"});
}

// The importance of each unit: the maximum over the rows of the cache that it spans.
std::vector<float> unit_importance(const PolicyView& view) {
  const CacheShape& shape = view.layout.shape();
  std::vector<float> out(static_cast<std::size_t>(view.layout.n_units()), 0.0f);
  for (std::int64_t layer = 0; layer < shape.n_layers; ++layer) {
    for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
      const auto importance = view.importance.sub(layer, head).span();
      for (std::int64_t token = 0; token < shape.n_tokens; ++token) {
        float& unit = out[static_cast<std::size_t>(view.layout.unit(layer, head, token))];
        unit = std::max(unit, importance[static_cast<std::size_t>(token)]);
      }
    }
  }
  return out;
}

}  // namespace

QaqPolicy::QaqPolicy(const QaqParams& params) : params_(params) { validate(params); }

PolicyNeeds QaqPolicy::needs(CacheSide side) const {
  const QaqSideParams& params = side_params(side);
  PolicyNeeds needs;
  needs.gqa_reduce = params_.gqa_reduce;
  needs.quantizer.level = params.level;
  if (params.level == Level::no_quantization) return needs;
  needs.quantizer = {.level = params.level,
                     .method = params.method,
                     .symmetric = params.symmetric,
                     .outliers_ratio = params.outliers_ratio,
                     .outlier_index = params_.outlier_index};
  // Keys never see attention: their bound holds for the average score.
  if (side == CacheSide::value && params.use_attentions) {
    needs.attention_rows = params.last_n_attentions;
  }
  return needs;
}

Plan QaqPolicy::plan(const PolicyView& view) const {
  const QaqSideParams& params = side_params(view.side);
  const PolicyNeeds wanted = needs(view.side);
  Plan plan;
  plan.quantizer = wanted.quantizer;
  plan.layout = view.layout;
  if (plan.keeps_all()) return plan;
  assert(static_cast<std::int64_t>(view.stats.size()) == view.layout.n_units());
  check_outliers_ratio(params.outliers_ratio, view.side, view.layout.unit_size());

  const BitRule rule = reference_bit_rule(params, view.side, view.layout.shape().n_tokens);
  const std::vector<float> importance =
      wanted.attention_rows > 0 ? unit_importance(view) : std::vector<float>();
  const std::int64_t per_token = view.layout.units_per_token();
  plan.n_bits_vary = params.use_attentions && params.n_bits_min < params.n_bits_max;
  plan.n_bits.reserve(view.stats.size());
  for (std::size_t unit = 0; unit < view.stats.size(); ++unit) {
    const std::int64_t token = static_cast<std::int64_t>(unit) / per_token;
    const float seen = importance.empty() ? 0.0f : importance[unit];
    plan.n_bits.push_back(static_cast<std::uint8_t>(
        rule.n_bits(view.stats[unit].range(params.symmetric), seen, token)));
  }
  return plan;
}

}  // namespace qaq
