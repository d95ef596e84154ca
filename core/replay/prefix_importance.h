#pragma once

#include <cstdint>

#include "core/base/progress.h"
#include "core/policy/importance_rule.h"
#include "core/replay/capture_view.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Importance that follows every row of a prefix (RunningImportance), as of its last one.
struct PrefixImportance {
  NdArray<float, 3> importance;  ///< (n_layers, n_kv_heads, prefix)
  NdArray<float, 2> window;      ///< (n_layers, n_kv_heads), rows; empty unless it is adaptive
};

/// Feeds the captured rows 0 to prefix - 1, which must be there, layer by layer.
PrefixImportance prefix_importance(const CaptureView& capture, std::int64_t prefix,
                                   const ImportanceOptions& options, const Work& work);

}  // namespace qaq
