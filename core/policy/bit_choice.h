#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "core/quant/arith.h"

namespace qaq {

/// What the bits of one unit follow from. Of a unit that spans heads or layers each is the largest.
struct UnitFacts {
  std::int64_t token = 0;
  float range = 0;       ///< of the inliers, as the quantizer spans it
  float importance = 0;  ///< S_u, the largest score that the token got
  float q_norm = 0;      ///< squared 2-norm of a query
  float distance = 0;    ///< ||v_t - X||^2
  /// Tokens from here on are too young for the unit's own window, where windows are adaptive.
  std::int64_t first_forced = INT64_MAX;
  std::span<const float> errors{};  ///< (kMaxBits + 1), mean squared, of 0, 1, .. bits
};

/// What a rule gave one unit, and how it came to it.
struct BitChoice {
  enum class Clamp { none, min, max };

  float error = 0;  ///< variant reference: max_error; else sigma^2; 0 where bits are fixed
  int wanted = 0;   ///< bits before clamps and the forced rule
  int n_bits = 0;   ///< bits that the unit gets
  Clamp clamp = Clamp::none;  ///< which of n_bits_min and n_bits_max stopped it
  bool forced = false;        ///< among the newest tokens, which get n_bits_max
  bool of_block = false;      ///< raised to what another token of its block gets
  bool unmet = false;         ///< bits_rule measured: no number of bits keeps sigma^2

  /// True where the unit got fewer bits than its error asks for.
  QAQ_HD bool starved() const { return n_bits < wanted; }
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

  QAQ_HD BitChoice choose(const UnitFacts& unit) const;
  /// Bits of a unit at `token` that has no other facts. Importance 0 allows any error.
  QAQ_HD int n_bits(float range, float importance, std::int64_t token) const;
  /// What the budget of a unit with these facts is divided by.
  QAQ_HD float weight_of(const UnitFacts& unit) const;

 private:
  /// The fewest bits whose measured error is at most `variance`; one more than there are where none
  /// is enough.
  QAQ_HD int fewest_bits(const UnitFacts& unit, float variance) const;
};

QAQ_HD inline float BitRule::weight_of(const UnitFacts& unit) const {
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

QAQ_HD inline int BitRule::fewest_bits(const UnitFacts& unit, float variance) const {
  const auto n_choices = static_cast<int>(unit.errors.size());
  int n_bits = n_bits_min;
  while (n_bits < n_choices && !(unit.errors[static_cast<std::size_t>(n_bits)] <= variance)) {
    ++n_bits;
  }
  return n_bits;
}

QAQ_HD inline BitChoice BitRule::choose(const UnitFacts& unit) const {
  constexpr float kSqrt12 = 3.46410162f;  // a uniform error of step h has the variance h^2 / 12
  BitChoice choice;
  if (kind == Kind::fixed) {
    choice.wanted = choice.n_bits = n_bits_fixed;
    return choice;
  }
  if (kind == Kind::variance) {
    const float variance = budget / weight_of(unit);
    choice.error = variance < cap ? variance : cap;
    if (divides_by_query_norm) choice.error /= unit.q_norm;
    if (measured) {
      choice.wanted = fewest_bits(unit, choice.error);
      choice.unmet = choice.wanted > kMaxBits;
    } else {
      choice.wanted = bits_for_step(unit.range, kSqrt12 * std::sqrt(choice.error));
    }
  } else {
    // Reciprocal first, then the product: the order in which the authors' code rounds.
    choice.error = kind == Kind::error_bound ? max_error : (1.0f / unit.importance) * max_error;
    if (divides_by_query_norm) choice.error /= std::sqrt(unit.q_norm);
    choice.wanted = bits_for(unit.range, choice.error);
  }
  choice.forced = unit.token >= first_forced || unit.token >= unit.first_forced;
  if (choice.forced) {
    choice.n_bits = n_bits_max;
    return choice;
  }
  choice.n_bits = choice.wanted;
  if (choice.wanted > n_bits_max) {
    choice.n_bits = n_bits_max;
    choice.clamp = BitChoice::Clamp::max;
  }
  if (choice.wanted < n_bits_min) {
    choice.n_bits = n_bits_min;
    choice.clamp = BitChoice::Clamp::min;
  }
  return choice;
}

QAQ_HD inline int BitRule::n_bits(float range, float importance, std::int64_t token) const {
  return choose({.token = token, .range = range, .importance = importance}).n_bits;
}

}  // namespace qaq
