#include "core/policy/bit_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qaq {
namespace {

// ln(T^3 / (T - 1) e^2 + 1). One token has the score 1 whatever its key.
double key_budget(const QaqSideParams& params, double n_tokens) {
  if (n_tokens < 2) return std::numeric_limits<double>::infinity();
  const double e = params.target_quantization_error;
  return std::log1p(n_tokens * n_tokens * n_tokens / (n_tokens - 1) * e * e);
}

// A rule with everything that the variants share; fixed where bits do not follow from an error.
BitRule common_rule(const QaqSideParams& params, std::int64_t n_tokens) {
  BitRule rule;
  if (!params.use_attentions) {
    rule.n_bits_fixed = params.n_bits_uniform;
    return rule;
  }
  rule.kind = BitRule::Kind::variance;
  rule.measured = params.bits_rule == BitsRule::measured;
  rule.n_bits_min = params.n_bits_min;
  rule.n_bits_max = params.n_bits_max;
  rule.first_forced = std::max<std::int64_t>(0, n_tokens - (params.fixed_window() - 1));
  return rule;
}

// Values alike in paper and bound: sigma^2 = e^2 / (T S^2).
void set_value_budget(const QaqSideParams& params, double n_tokens, BitRule& rule) {
  const double e = params.target_quantization_error;
  rule.budget = static_cast<float>(e * e / n_tokens);
  rule.weight = BitRule::Weight::squared_score;
}

}  // namespace

double kappa(double v) { return (std::expm1(2 * v) - 2 * std::expm1(v / 2)) / v; }

BitRule reference_bit_rule(const QaqSideParams& params, CacheSide side, std::int64_t n_tokens) {
  BitRule rule = common_rule(params, n_tokens);
  if (rule.kind == BitRule::Kind::fixed) return rule;
  const auto t = static_cast<double>(n_tokens);
  if (side == CacheSide::key) {
    rule.kind = BitRule::Kind::error_bound;
    rule.divides_by_query_norm = params.measures_q_norm();
    const double q_norm = params.measures_q_norm() ? 1 : *params.q_norm.number;
    rule.max_error = static_cast<float>(std::sqrt(12 / q_norm * key_budget(params, t)));
  } else {
    rule.kind = BitRule::Kind::error_bound_by_importance;
    rule.max_error = static_cast<float>(std::sqrt(12 / t) * params.target_quantization_error);
  }
  return rule;
}

BitRule paper_bit_rule(const QaqSideParams& params, CacheSide side, std::int64_t n_tokens) {
  BitRule rule = common_rule(params, n_tokens);
  if (rule.kind == BitRule::Kind::fixed) return rule;
  const auto t = static_cast<double>(n_tokens);
  if (side == CacheSide::value) {
    set_value_budget(params, t, rule);
  } else {
    rule.budget = static_cast<float>(key_budget(params, t));
    rule.divides_by_query_norm = true;
  }
  return rule;
}

BitRule bound_bit_rule(const QaqSideParams& params, CacheSide side, const CacheShape& shape) {
  BitRule rule = common_rule(params, shape.n_tokens);
  if (rule.kind == BitRule::Kind::fixed) return rule;
  const auto t = static_cast<double>(shape.n_tokens + params.horizon_tokens);
  if (side == CacheSide::value) {
    set_value_budget(params, t, rule);
    return rule;
  }
  const double e = params.target_quantization_error, k = kappa(params.v_max);
  const auto d = static_cast<double>(shape.head_dim);
  rule.divides_by_query_norm = true;
  rule.cap = static_cast<float>(d * params.v_max);
  switch (params.bound_target) {
    case BoundTarget::row:
      rule.budget = static_cast<float>(d * e * e / (2 * k * t));
      rule.weight = BitRule::Weight::squared_spread;
      break;
    case BoundTarget::entry:
      rule.budget = static_cast<float>(d * 8 * e * e / k);
      break;
    case BoundTarget::output:
      rule.budget = static_cast<float>(d * d * e * e / t);
      rule.weight = BitRule::Weight::squared_score_distance;
      break;
  }
  return rule;
}

BitRule bit_rule(const QaqSideParams& params, CacheSide side, const CacheShape& shape) {
  switch (params.variant) {
    case Variant::paper:
      return paper_bit_rule(params, side, shape.n_tokens);
    case Variant::bound:
      return bound_bit_rule(params, side, shape);
    case Variant::reference:
      break;
  }
  return reference_bit_rule(params, side, shape.n_tokens);
}

}  // namespace qaq
