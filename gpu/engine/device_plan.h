#pragma once

#include <cstdint>

#include "core/engine/memory_plan.h"
#include "core/model/model_spec.h"
#include "gpu/engine/tap_ring.h"

namespace qaq::cuda {

/// Throws Error{usage} with the family's name where the kernels lack a piece of it: LayerNorm,
/// positions other than RoPE, a feed-forward part without a gate.
void require_runnable(const ModelSpec& spec);

/// What an engine takes on the GPU, each array as the arena rounds it: a pure function, to be asked
/// before anything is allocated. Throws as require_runnable() does.
MemoryPlan plan_device_memory(const ModelSpec& spec, const EngineLimits& limits);
/// All of it but the cache.
MemoryPlan plan_engine_memory(const ModelSpec& spec, const EngineLimits& limits);
/// Keys and values of so many tokens, unquantized.
std::int64_t cache_bytes(const ModelSpec& spec, DType dtype, std::int64_t n_tokens);

/// Rows of logits that are made at a time.
std::int64_t logits_rows(const ModelSpec& spec, const EngineLimits& limits);

/// Bytes that attention of few rows in 16 bits works in.
std::int64_t attention_workspace(const ModelSpec& spec, const EngineLimits& limits);

/// Memory of the ring that taps go through: twice what a layer gives, 512 MiB on the GPU and 256
/// MiB pinned at most. All 0 where the limits say that nothing is tapped.
TapRing::Sizes tap_ring_sizes(const ModelSpec& spec, const EngineLimits& limits);
/// Bytes of a region in which rows of scores become statistics: attention_stats of n_heads heads
/// first, its workspace behind them, then the scores; each begins at a multiple of 256.
std::int64_t stats_region_bytes(std::int64_t n_heads, std::int64_t first_position,
                                std::int64_t n_rows);
/// Bytes that one region of the ring may have, so that another fits beside it.
std::int64_t tap_region_bytes(const TapRing::Sizes& sizes);

/// Throws Error{work} where the plan needs more than `free_bytes` less what the driver and others
/// are left: the message lists the parts and says what half the tokens would save.
void require_device_memory(const ModelSpec& spec, const EngineLimits& limits,
                           std::int64_t free_bytes);
/// The same for any plan; `with_half` is the plan of half the tokens.
void require_device_memory(const MemoryPlan& plan, const MemoryPlan& with_half,
                           std::int64_t max_tokens, std::int64_t free_bytes);
/// Half the tokens.
EngineLimits half_limits(const EngineLimits& limits);

}  // namespace qaq::cuda
