#include "core/policy/bit_rule.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "core/quant/arith.h"
#include "core/quant/unit_errors.h"

namespace qaq {
namespace {

constexpr float kSqrt12 = 3.46410162f;  // a uniform error of step h has the variance h^2 / 12

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
  rule.first_forced = std::max<std::int64_t>(0, n_tokens - (params.last_n_attentions - 1));
  return rule;
}

// Values alike in paper and bound: sigma^2 = e^2 / (T S^2).
void set_value_budget(const QaqSideParams& params, double n_tokens, BitRule& rule) {
  const double e = params.target_quantization_error;
  rule.budget = static_cast<float>(e * e / n_tokens);
  rule.weight = BitRule::Weight::squared_score;
}

// The fewest bits, from `least` on, whose measured error is at most `variance`; kBitChoices where
// none is enough.
int fewest_bits(std::span<const float> errors, float variance, int least) {
  int n_bits = least;
  while (n_bits < kBitChoices && !(errors[static_cast<std::size_t>(n_bits)] <= variance)) ++n_bits;
  return n_bits;
}

}  // namespace

double kappa(double v) { return (std::expm1(2 * v) - 2 * std::expm1(v / 2)) / v; }

float BitRule::weight_of(const UnitFacts& unit) const {
  const float s = unit.importance;
  switch (weight) {
    case Weight::squared_score:
      return s * s;
    case Weight::squared_spread: {
      // s (1 - s) made monotone: a larger score than seen must not need more.
      const float spread = s < 0.5f ? s * (1 - s) : 0.25f;
      return spread * spread;
    }
    case Weight::squared_score_distance:
      return s * s * unit.distance;
    case Weight::one:
      break;
  }
  return 1;
}

BitChoice BitRule::choose(const UnitFacts& unit) const {
  BitChoice choice;
  if (kind == Kind::fixed) {
    choice.wanted = choice.n_bits = n_bits_fixed;
    return choice;
  }
  if (kind == Kind::variance) {
    choice.error = std::min(cap, budget / weight_of(unit));
    if (divides_by_query_norm) choice.error /= unit.q_norm;
    if (measured) {
      choice.wanted = fewest_bits(unit.errors, choice.error, n_bits_min);
      choice.unmet = choice.wanted == kBitChoices;
    } else {
      choice.wanted = bits_for_step(unit.range, kSqrt12 * std::sqrt(choice.error));
    }
  } else {
    // Reciprocal first, then the product: the order in which the authors' code rounds.
    choice.error = kind == Kind::error_bound ? max_error : (1.0f / unit.importance) * max_error;
    if (divides_by_query_norm) choice.error /= std::sqrt(unit.q_norm);
    choice.wanted = bits_for(unit.range, choice.error);
  }
  choice.forced = unit.token >= first_forced;
  if (choice.forced) {
    choice.n_bits = n_bits_max;
    return choice;
  }
  choice.n_bits = std::clamp(choice.wanted, n_bits_min, n_bits_max);
  if (choice.wanted < n_bits_min) choice.clamp = BitChoice::Clamp::min;
  if (choice.wanted > n_bits_max) choice.clamp = BitChoice::Clamp::max;
  return choice;
}

int BitRule::n_bits(float range, float importance, std::int64_t token) const {
  return choose({.token = token, .range = range, .importance = importance}).n_bits;
}

BitRule reference_bit_rule(const QaqSideParams& params, CacheSide side, std::int64_t n_tokens) {
  BitRule rule = common_rule(params, n_tokens);
  if (rule.kind == BitRule::Kind::fixed) return rule;
  const auto t = static_cast<double>(n_tokens);
  if (side == CacheSide::key) {
    rule.kind = BitRule::Kind::error_bound;
    rule.divides_by_query_norm = !params.q_norm.number;
    const double q_norm = params.q_norm.number.value_or(1);
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
