#include "core/policy/bit_rule.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/quant/arith.h"

namespace qaq {
namespace {

double key_max_error(const QaqSideParams& params, double n_tokens) {
  // One token has the score 1 whatever its key.
  if (n_tokens < 2) return std::numeric_limits<double>::infinity();
  const double e = params.target_quantization_error;
  return std::sqrt(12 / params.q_norm *
                   std::log1p(n_tokens * n_tokens * n_tokens / (n_tokens - 1) * e * e));
}

}  // namespace

int BitRule::n_bits(float range, float importance, std::int64_t token) const {
  if (kind == Kind::fixed) return n_bits_fixed;
  if (token >= first_forced) return n_bits_max;
  // Reciprocal first, then the product: the order in which the authors' code rounds.
  const float error = kind == Kind::error_bound ? max_error : (1.0f / importance) * max_error;
  return std::clamp(bits_for(range, error), n_bits_min, n_bits_max);
}

BitRule reference_bit_rule(const QaqSideParams& params, CacheSide side, std::int64_t n_tokens) {
  BitRule rule;
  if (!params.use_attentions) {
    rule.n_bits_fixed = params.n_bits_uniform;
    return rule;
  }
  const auto t = static_cast<double>(n_tokens);
  if (side == CacheSide::key) {
    rule.kind = BitRule::Kind::error_bound;
    rule.max_error = static_cast<float>(key_max_error(params, t));
  } else {
    rule.kind = BitRule::Kind::error_bound_by_importance;
    rule.max_error = static_cast<float>(std::sqrt(12 / t) * params.target_quantization_error);
  }
  rule.n_bits_min = params.n_bits_min;
  rule.n_bits_max = params.n_bits_max;
  rule.first_forced = std::max<std::int64_t>(0, n_tokens - (params.last_n_attentions - 1));
  return rule;
}

}  // namespace qaq
