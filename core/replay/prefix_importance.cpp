#include "core/replay/prefix_importance.h"

#include <algorithm>

#include "core/policy/running_importance.h"
#include "core/replay/capture_rows.h"

namespace qaq {

PrefixImportance prefix_importance(const CaptureView& capture, std::int64_t prefix,
                                   const ImportanceOptions& options, const Work& work) {
  const CaptureInfo& info = capture.info();
  const std::int64_t n_layers = info.n_captured_layers(), n_kv_heads = info.shape.n_kv_heads;
  PrefixImportance out;
  out.importance = NdArray<float, 3>({n_layers, n_kv_heads, prefix});
  if (options.adaptive) out.window = NdArray<float, 2>({n_layers, n_kv_heads});
  const std::int64_t step = rows_at_a_time(info);
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({"importance", layer, n_layers, "layers"});
    RunningImportance running(options, {1, n_kv_heads, prefix});
    for (std::int64_t row = 0; row < prefix; row += step) {
      work.throw_if_stopped();
      running.push(0, row, capture.attention(layer, row, std::min(step, prefix - row))->view());
    }
    std::ranges::copy(running.of_first(prefix).span(), out.importance.sub(layer).data());
    if (options.adaptive) std::ranges::copy(running.windows().span(), out.window.sub(layer).data());
  }
  return out;
}

}  // namespace qaq
