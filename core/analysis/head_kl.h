#pragma once

#include <cstdint>
#include <span>

#include "core/base/progress.h"
#include "core/evaluate/mixed_run.h"
#include "core/policy/qaq_params.h"

namespace qaq {

/// KL (nat), mean over the rows behind the prefix, with keys and values of one KV head quantized
/// and all else exact: (layers.size(), n_kv_heads), a replay for each. replay_heads() asks the
/// opposite of one row: what a quantized cache gains where a head is left exact. `layers` are the
/// model's. Progress counts replays. Throws Error{interrupted}.
NdArray<double, 2> head_kl(MixedRun& run, const QaqParams& params,
                           std::span<const std::int32_t> layers, const Work& work);

}  // namespace qaq
