#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "core/quant/cache_codec.h"
#include "core/quant/plan.h"
#include "core/quant/unit_stats.h"

namespace qaq {

/// A plan of a cache's first tokens, which quantizes them, and behind them up to `n_tokens` tokens
/// that no plan has met yet: they are left exact. `stats` are those of the plan's units; they
/// outlive the codec.
std::shared_ptr<const CacheCodec> units_and_tail_codec(Plan first, std::span<const UnitStats> stats,
                                                       std::int64_t n_tokens);

}  // namespace qaq
