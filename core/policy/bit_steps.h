#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/policy/bit_rule.h"

namespace qaq {

/// One step from a unit's facts to its bits: what is computed, with symbols, with numbers, and what
/// comes out. A fact has no formula.
struct BitStep {
  std::string symbol;   ///< "max_error"
  std::string meaning;  ///< "largest error that the unit may make"
  std::string formula;  ///< "sqrt(12 / T) * e / S_u"
  std::string numbers;  ///< "sqrt(12 / 4) * 0.1 / 0.7"
  double value = 0;
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
