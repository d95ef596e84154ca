#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/analysis/alignment.h"
#include "core/base/progress.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// Numbers that two captures hold of the same tokens.
struct ArrayDelta {
  std::string name;  ///< "key", "value", "query", "attention"
  double rms_a = 0, rms_b = 0;
  double rms_difference = 0;
  double max_difference = 0;
  std::int32_t layer = 0;  ///< where the largest is: of the model,
  std::int64_t head = 0;   ///< head of the array,
  std::int64_t token = 0;  ///< position (of attention: of the row)
};

/// Keys, values, queries and attention of the common tokens and layers, where both hold them.
/// Throws Error{interrupted}.
std::vector<ArrayDelta> array_deltas(const Alignment& alignment, const CaptureView& a,
                                     const CaptureView& b, const Work& work);
/// {"key": {"rms_a": ..., ...}, ...}
nlohmann::ordered_json array_deltas_json(const std::vector<ArrayDelta>& deltas);

}  // namespace qaq
