#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/analysis/chart.h"
#include "core/analysis/heatmap.h"
#include "core/analysis/table.h"
#include "core/base/parameters.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// What quantization changed, from the numbers themselves to what attention reads from them.
enum class ErrorOf {
  key,        ///< mean over channels of (K' - K)^2, a (KV head, token)
  value,      ///< mean over channels of (V' - V)^2, a (KV head, token)
  attention,  ///< sum over keys of (S' - S)^2, a (query head, step)
  output      ///< mean over channels of (X' - X)^2, a (query head, step)
};
template <>
struct ChoiceNames<ErrorOf> {
  static constexpr std::array<std::string_view, 4> names{"key", "value", "attention", "output"};
};
inline constexpr std::array kAllErrors{ErrorOf::key, ErrorOf::value, ErrorOf::attention,
                                       ErrorOf::output};

/// An error by layer, over all heads and tokens (steps) of the layer. Each (n_layers), captured
/// layers.
struct ErrorBand {
  std::vector<double> mean;
  std::vector<double> p10, p90;  ///< the smallest number that 10 % (90 %) of them do not exceed
};

/// Errors by layer. A replay of a capture gives every layer its exact inputs, so its errors are
/// local: of this layer quantized alone. (Errors carried from layer to layer need the model to run
/// again. Put into this form, they are drawn the same.)
struct LayerErrors {
  std::vector<std::int32_t> layers;  ///< of the model
  std::array<ErrorBand, 4> bands;    ///< by ErrorOf; empty: the result has no such errors

  const ErrorBand& of(ErrorOf which) const { return bands[static_cast<std::size_t>(which)]; }
  bool has(ErrorOf which) const { return !of(which).mean.empty(); }
};

/// Of the prefix (keys, values) and of the replayed rows (attention, output).
LayerErrors layer_errors(const ReplayResult& result, const CaptureInfo& info);

/// Whether the result has errors of this kind.
bool has_errors(const ReplayResult& result, ErrorOf which);

/// One kind of error: columns are model layers with their KV heads beside each other (column =
/// layer * n_kv_heads + kv_head), rows are tokens, or steps where the error is of attention or of
/// outputs. Of the query heads of a KV head the largest. Layers and steps that were not captured
/// are absent; tokens behind the prefix, which are left exact, and steps that do not read it are
/// impossible. The result has such errors. Reduced by maximum.
Heatmap error_map(const ReplayResult& result, const CaptureInfo& info, ErrorOf which);

/// One row a layer: mean, p10 and p90 of every error that there is.
Table layer_errors_table(const LayerErrors& errors);

/// Every error that there is as a band and, over all bands, a line; x is the model's layer. The
/// axis begins a decade below the decade of the smallest mean.
ChartPanel layer_errors_panel(const LayerErrors& errors);

}  // namespace qaq
