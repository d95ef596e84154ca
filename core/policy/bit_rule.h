#pragma once

#include <cstdint>

#include "core/policy/bit_choice.h"
#include "core/policy/qaq_params.h"
#include "core/policy/unit_facts.h"

namespace qaq {

/// E(e^d - 1)^2 = kappa v for d of variance v, normal: what lies beyond first order (section 4.1).
double kappa(double v);

/// The rule of the authors' code (variant *reference*) for a cache of `n_tokens` = T tokens, with e
/// = target_quantization_error and n = last_n_attentions:
///
///   key    max_error = sqrt(12 / q_norm * ln(T^3 / (T - 1) * e^2 + 1)); infinite for T = 1
///   value  max_error = sqrt(12 / T) * e, divided by the unit's importance
///
/// and the newest n - 1 tokens get n_bits_max (arXiv 2403.04643 section 3, as coded).
BitRule reference_bit_rule(const QaqSideParams& params, CacheSide side, std::int64_t n_tokens);

/// The rule of the paper (variant *paper*, section 3 of the mathematics), with S a unit's
/// importance and q_norm a squared 2-norm:
///
///   key    sigma^2 = ln(T^3 / (T - 1) * e^2 + 1) / q_norm; infinite for T = 1
///   value  sigma^2 = e^2 / (T S^2)
///   bits   ceil(log2(range / (sqrt(12) sigma)))
///
/// Clamped and forced as variant reference.
BitRule paper_bit_rule(const QaqSideParams& params, CacheSide side, std::int64_t n_tokens);

/// The rule whose promise can be checked (variant *bound*, section 4.2), with T = cache +
/// horizon_tokens, D = head_dim, M as in Weight, bits as the paper's:
///
///   key, row     sigma^2 = D / q_norm * min(v_max, e^2 / (2 kappa(v_max) T M^2))
///   key, entry   sigma^2 = D / q_norm * min(v_max, 8 e^2 / kappa(v_max))
///   key, output  sigma^2 = D / q_norm * min(v_max, D e^2 / (T S^2 ||v_t - X||^2))
///   value        sigma^2 = e^2 / (T S^2)
BitRule bound_bit_rule(const QaqSideParams& params, CacheSide side, const CacheShape& shape);

/// The rule of params.variant.
BitRule bit_rule(const QaqSideParams& params, CacheSide side, const CacheShape& shape);

}  // namespace qaq
