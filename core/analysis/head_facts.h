#pragma once

#include <cstdint>

#include "core/analysis/head_statistics.h"
#include "core/analysis/violations.h"
#include "core/base/progress.h"
#include "core/replay/capture_view.h"

namespace qaq {

/// What is looked at before anything is quantized.
struct HeadScope {
  std::int64_t n_tokens = 0;  ///< the first so many, 1 .. T; later rows of attention are not seen
  ViolationParams violation{};
  int default_window = 5;  ///< where violation.violation_window is 0
};

/// Every statistic of every captured KV head: (head_statistics().size(), n_layers, n_kv_heads); NaN
/// where the capture does not tell. In parallel over KV heads. Throws Error{interrupted}.
NdArray<double, 3> measure_heads(const CaptureView& capture, const HeadScope& scope,
                                 const Work& work = {});

}  // namespace qaq
