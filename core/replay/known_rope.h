#pragma once

#include <span>

#include "core/replay/capture_view.h"

namespace qaq {

/// Radians a position by which RoPE turned the capture's queries and keys (CaptureInfo); empty:
/// there is none. Throws Error{input} where it was stretched in a way that is not known here.
std::span<const double> known_rope(const CaptureInfo& info);

}  // namespace qaq
