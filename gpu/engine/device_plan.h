#pragma once

#include <cstdint>

#include "core/engine/memory_plan.h"
#include "core/model/model_spec.h"

namespace qaq::cuda {

/// What a float32 engine takes on the GPU, each array as the arena rounds it: a pure function, to
/// be asked before anything is allocated.
MemoryPlan plan_device_memory(const ModelSpec& spec, const EngineLimits& limits);

/// Scores that are tapped at a time, at most.
std::int64_t score_slab_size(const ModelShape& shape, const EngineLimits& limits);

/// Throws Error{work} where the plan needs more than `free_bytes` less what the driver and others
/// are left: the message lists the parts and says what half the tokens would save.
void require_device_memory(const ModelSpec& spec, const EngineLimits& limits,
                           std::int64_t free_bytes);

}  // namespace qaq::cuda
