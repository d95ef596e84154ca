#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/policy/bit_rule.h"

namespace qaq {

/// A piece of a formula: a symbol with the number that stands for it, a sign as it is, or a remark,
/// which is no part of what is computed.
struct BitTerm {
  std::string text;                ///< "S_u", "sqrt(12 / ", ", as v is above v_max"
  std::optional<double> number{};  ///< of a symbol
  bool is_remark = false;
};

/// One step from a unit's facts to its bits: what is computed, with symbols, with numbers, and what
/// comes out. A fact has no formula.
struct BitStep {
  std::string symbol;            ///< "max_error"
  std::string meaning;           ///< "largest error that the unit may make"
  std::vector<BitTerm> terms{};  ///< of the formula, in order
  double value = 0;

  std::string formula() const;  ///< "sqrt(12 / T) * e / S_u"
  std::string numbers() const;  ///< "sqrt(12 / 4) * 0.1 / 0.7"
};

/// How a unit came to its bits.
struct BitSteps {
  std::vector<BitStep> steps;  ///< in order; none where bits are fixed
  double before_rounding = 0;  ///< of which BitChoice::wanted is the ceiling; not of measured bits
  BitChoice choice;
};

/// Writes out what bit_rule(params, side, shape) does to a unit: the same numbers, in words. The
/// values are those that the rule computed in float32, not the steps done again.
BitSteps explain_bits(const QaqSideParams& params, CacheSide side, const CacheShape& shape,
                      const UnitFacts& unit);

/// A number with six significant digits, in the C locale.
std::string short_number(double value);

}  // namespace qaq
