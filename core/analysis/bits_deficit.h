#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/analysis/violations.h"
#include "core/policy/qaq_params.h"
#include "core/replay/cache_replay.h"

namespace qaq {

/// For each violation: the bits that the formula gives the token's values with the score at hand,
/// S_s[t], less the bits that they were given. Above 0 the jump came where too little had been
/// kept; below 0 there were bits to spare. `value` is the planned cache of values, `params` what it
/// was planned with; the formula is that of their variant for its T tokens, clamped as planned,
/// without the rule that forces the newest tokens, also where bits were measured. Nothing of a
/// violation that the plan could not know of because its token or its step was not before it: token
/// t >= T; step s < T where captured rows lie behind the prefix (see ReplayResult::in_sample). All
/// nothing where bits do not follow from attention.
std::vector<std::optional<int>> bits_deficits(const ViolationReport& report,
                                              const CaptureInfo& info, const PlannedCache& value,
                                              const QaqSideParams& params);

/// By how much one plan falls short of another, unit by unit: where importance is taken to be less
/// than the window's maximum (section 9), what that saves.
struct BitsDeficit {
  std::int64_t n_units = 0;
  std::int64_t n_short = 0;  ///< units with fewer bits than wanted
  std::int64_t n_bits = 0;   ///< that they lack

  double share_short() const { return per_unit(n_short); }
  double mean_bits() const { return per_unit(n_bits); }  ///< over all units

 private:
  double per_unit(std::int64_t n) const {
    return n_units == 0 ? 0 : static_cast<double>(n) / static_cast<double>(n_units);
  }
};

/// Over units of the first `n_tokens` tokens, before those that `wanted` forces to n_bits_max, and
/// without those that `given` evicts. Nothing where one of the plans is not made of units.
std::optional<BitsDeficit> bits_deficit(const Plan& wanted, const Plan& given,
                                        std::int64_t n_tokens);

}  // namespace qaq
