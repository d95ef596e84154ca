#pragma once

#include <cstdint>
#include <optional>

#include "core/base/progress.h"
#include "core/policy/qaq_params.h"
#include "core/replay/replayer.h"

namespace qaq {

/// The setting with the target_quantization_error of both caches lowered, or raised, until packed
/// keys and values of the first `prefix` tokens take as much of `most_bytes` as they can: settings
/// that differ otherwise are held against each other at equal bytes. Empty where no target is large
/// enough. Bisects over planned bytes, which never rise with the target.
std::optional<QaqParams> at_byte_budget(Replayer& replayer, const QaqParams& params,
                                        std::int64_t prefix, std::int64_t most_bytes,
                                        const Work& work);

/// Packed bytes of both caches.
std::int64_t packed_total(const ReplayResult& result);

}  // namespace qaq
