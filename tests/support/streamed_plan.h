#pragma once

#include <cstdint>

#include "core/quant/plan.h"
#include "core/replay/streaming.h"

namespace qaq::test {

/// What streaming left of one cache, as a plan of its first n_tokens tokens; all else is as in
/// `like`.
Plan held_plan(const Plan& like, const StreamedFinal& streamed, std::int64_t n_tokens);

}  // namespace qaq::test
