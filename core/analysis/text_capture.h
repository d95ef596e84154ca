#pragma once

#include <cstdint>
#include <span>

#include "core/analysis/experiment.h"
#include "core/replay/memory_capture.h"

namespace qaq {

/// Runs `ids` with the whole cache on an engine that has room for them and captures every layer as
/// the context's number type.
MemoryCapture capture_of(Engine& engine, std::span<const std::int32_t> ids,
                         const ExperimentContext& context);

/// The text's first tokens, `most` at most and within the model's context. Throws Error{usage}
/// where there are less than `least`.
std::span<const std::int32_t> beginning_of(const ExperimentContext& context, std::int64_t least,
                                           std::int64_t most);

}  // namespace qaq
