#pragma once

#include <vector>

#include "core/model/rope.h"

namespace qaq {

/// Radians a position of each pair of channels, where they are all that RoPE does and depend on no
/// length: what was turned by them can be turned back. Empty: RoPE is dynamic, or scales too.
inline std::vector<double> plain_frequencies(const RopeSpec& rope) {
  if (rope.kind == RopeKind::dynamic || rope.attention_factor != 1.0) return {};
  return rope_frequencies(rope, 1);
}

}  // namespace qaq
