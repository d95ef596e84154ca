#pragma once

#include <cstdint>

#include "core/base/progress.h"
#include "core/policy/retention.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// The first `prefix` tokens as a prompt: which of them each KV head keeps, (n_layers, n_kv_heads,
/// prefix), 0 or 1. Layers are read one by one, with as many attention rows as the policy asks for.
/// Throws Error{input} where the capture lacks what it asks for, with the cure.
SharedArray<std::uint8_t, 3> kept_tokens(const CaptureView& capture,
                                         const TokenRetention& retention, std::int64_t prefix,
                                         const Work& work);

}  // namespace qaq
