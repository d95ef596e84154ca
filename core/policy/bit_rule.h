#pragma once

#include <cstdint>

#include "core/policy/qaq_params.h"

namespace qaq {

/// How a unit's bits follow from its range and its importance: everything that is the same for all
/// units, computed once on the host in double. A rule is data, so that kernels can evaluate it.
struct BitRule {
  enum class Kind {
    fixed,                     ///< n_bits_fixed for every unit: no clamp, no forced tokens
    error_bound,               ///< errors up to `max_error`
    error_bound_by_importance  ///< errors up to (1 / importance) * max_error
  };
  Kind kind = Kind::fixed;
  int n_bits_fixed = 0;
  float max_error = 0;
  int n_bits_min = 0;
  int n_bits_max = 0;
  std::int64_t first_forced = 0;  ///< tokens from here on get n_bits_max; n_tokens: none

  /// Bits of a unit at `token`. Importance 0 allows any error.
  int n_bits(float range, float importance, std::int64_t token) const;
};

/// The rule of the authors' code (variant *reference*) for a cache of `n_tokens` = T tokens, with e
/// = target_quantization_error and n = last_n_attentions:
///
///   key    max_error = sqrt(12 / q_norm * ln(T^3 / (T - 1) * e^2 + 1)); infinite for T = 1
///   value  max_error = sqrt(12 / T) * e, divided by the unit's importance
///
/// and the newest n - 1 tokens get n_bits_max (arXiv 2403.04643 section 3, as coded).
BitRule reference_bit_rule(const QaqSideParams& params, CacheSide side, std::int64_t n_tokens);

}  // namespace qaq
