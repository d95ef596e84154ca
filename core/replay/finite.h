#pragma once

#include <string>

#include "core/replay/capture_view.h"

namespace qaq {

/// Refuses NaN and infinity among the numbers (heads, rows, columns) of a captured layer, naming
/// the place: "key: layer 3, KV head 1, token 5, channel 7". `axes` are the words for head, row,
/// column.
struct FiniteCheck {
  std::string file;
  std::string what;
  std::array<const char*, 3> axes;
};
void refuse_nonfinite(const NdView<const float, 3>& numbers, std::int32_t layer,
                      const FiniteCheck& check);

}  // namespace qaq
