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

}  // namespace qaq
