#pragma once

#include <cstdint>
#include <limits>

#include "core/policy/qaq_params.h"
#include "core/policy/unit_facts.h"

namespace qaq {

/// What a rule gave one unit, and how it came to it.
struct BitChoice {
  enum class Clamp { none, min, max };

  float error = 0;  ///< variant reference: max_error; else sigma^2; 0 where bits are fixed
  int wanted = 0;   ///< bits before clamps and the forced rule
  int n_bits = 0;   ///< bits that the unit gets
  Clamp clamp = Clamp::none;  ///< which of n_bits_min and n_bits_max stopped it
  bool forced = false;        ///< among the newest tokens, which get n_bits_max
  bool unmet = false;         ///< bits_rule measured: no number of bits keeps sigma^2

  /// True where the unit got fewer bits than its error asks for.
  bool starved() const { return n_bits < wanted; }
};

/// How a unit's bits follow from its range, its importance and the rest of its facts: everything
/// that is the same for all units, computed once on the host in double. A rule is data, so that
/// kernels can evaluate it.
struct BitRule {
  enum class Kind {
    fixed,                      ///< n_bits_fixed for every unit: no clamp, no forced tokens
    error_bound,                ///< errors up to `max_error`
    error_bound_by_importance,  ///< errors up to (1 / importance) * max_error
    variance                    ///< errors of variance min(cap, budget / weight) / query norm
  };
  /// What a variance's budget is divided by, of S = importance.
  enum class Weight {
    one,
    squared_score,          ///< S^2
    squared_spread,         ///< M^2, M = S (1 - S) while S < 1/2, else 1/4
    squared_score_distance  ///< S^2 distance
  };
  Kind kind = Kind::fixed;
  int n_bits_fixed = 0;
  float max_error = 0;
  bool divides_by_query_norm = false;  ///< max_error^2, or the variance
  Weight weight = Weight::one;
  float budget = 0;
  float cap = std::numeric_limits<float>::infinity();
  bool measured = false;  ///< the fewest bits whose measured error is at most the variance
  int n_bits_min = 0;
  int n_bits_max = 0;
  std::int64_t first_forced = 0;  ///< tokens from here on get n_bits_max; n_tokens: none

  BitChoice choose(const UnitFacts& unit) const;
  /// Bits of a unit at `token` that has no other facts. Importance 0 allows any error.
  int n_bits(float range, float importance, std::int64_t token) const;
  /// What the budget of a unit with these facts is divided by.
  float weight_of(const UnitFacts& unit) const;
};

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
