#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "core/analysis/diagnosis.h"
#include "core/base/progress.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay.h"

namespace qaq {

/// One query head's errors, means over the replayed rows.
struct DiagnosedHead {
  std::int32_t layer = 0;  ///< of the model
  std::int64_t head = 0;
  double attention_error = 0;  ///< sum over keys of (S' - S)^2
  double output_error = 0;     ///< mean over channels of (X' - X)^2
};

/// What a capture alone can say of where a quantized cache fails: errors of scores and outputs, no
/// KL and no proof.
struct CaptureDiagnosis {
  std::int64_t prefix = 0;
  bool in_sample = false;            ///< no row lies behind the prefix
  std::int64_t position = 0;         ///< of the row with the largest output error, mean over heads
  std::vector<DiagnosedHead> heads;  ///< all captured, largest output error first
  std::vector<DiagnosedCell> cells;  ///< at that row, largest first; kMaxRankedCells of them
};
inline constexpr std::size_t kMaxRankedCells = 20;

/// Throws Error{input} where a capture lacked the queries or the attention that errors of outputs
/// follow from.
void require_output_errors(const ReplayResult& result, const CaptureInfo& info);

/// Means over the rows from `first_row` on of (n_layers, n_heads, T_query): (n_layers, n_heads).
NdArray<double, 2> mean_over_rows(const NdArray<float, 3>& errors, std::int64_t first_row);

/// Throws as replay() does and as require_output_errors().
CaptureDiagnosis diagnose_capture(const CaptureView& capture, const ReplayOptions& options,
                                  const Work& work);

nlohmann::ordered_json capture_diagnosis_json(const CaptureDiagnosis& diagnosis);

}  // namespace qaq
