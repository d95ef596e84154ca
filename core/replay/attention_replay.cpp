#include "core/replay/attention_replay.h"

#include <algorithm>
#include <limits>
#include <span>

#include "core/replay/capture_rows.h"
#include "core/replay/row_errors.h"

namespace qaq {

void replay_attention(const CaptureView& capture, const PlannedCache& key,
                      const PlannedCache& value, const Work& work, ReplayResult& result) {
  const CaptureInfo& info = capture.info();
  const std::int64_t n_layers = info.n_captured_layers(), n_rows = info.n_query_rows();
  const std::int64_t n_heads = info.shape.n_heads;
  const std::int64_t first = first_replayed_row(info, result.prefix);
  result.in_sample = first_row_behind(info, result.prefix) == n_rows;
  if (!info.has_queries || info.profile == AttentionProfile::none || n_rows == 0) return;

  const Shape<3> shape{n_layers, n_heads, n_rows};
  result.attention_error = NdArray<float, 3>(shape, std::numeric_limits<float>::quiet_NaN());
  result.output_error = NdArray<float, 3>(shape, std::numeric_limits<float>::quiet_NaN());
  double attention_sum = 0, output_sum = 0;
  const std::int64_t step = rows_at_a_time(info);
  for (std::int64_t layer = 0; layer < n_layers; ++layer) {
    work.report({"attention", layer, n_layers, "layers"});
    const SharedArray<float, 3> query = capture.query(layer);
    const SharedArray<float, 3> new_key = quantized_layer(capture, key, layer);
    const SharedArray<float, 3> old_value = exact_layer(capture, CacheSide::value, layer);
    const SharedArray<float, 3> new_value = quantized_layer(capture, value, layer);
    const LayerCaches caches{query->view(),     new_key->view(), old_value->view(),
                             new_value->view(), result.prefix,   info.attention_window(layer)};
    for (std::int64_t row = first; row < n_rows; row += step) {
      work.throw_if_stopped();
      const std::int64_t count = std::min(step, n_rows - row);
      const SharedArray<float, 3> scores = capture.attention(layer, row, count);
      const RowErrors errors =
          row_errors(caches, scores->view(),
                     std::span(info.query_token)
                         .subspan(static_cast<std::size_t>(row), static_cast<std::size_t>(count)));
      for (std::int64_t head = 0; head < n_heads; ++head) {
        for (std::int64_t i = 0; i < count; ++i) {
          attention_sum += errors.prefix_attention(head, i);
          output_sum += errors.output(head, i);
          result.attention_error(layer, head, row + i) =
              static_cast<float>(errors.attention(head, i));
          result.output_error(layer, head, row + i) = static_cast<float>(errors.output(head, i));
        }
      }
    }
  }
  work.report({"attention", n_layers, n_layers, "layers"});
  const auto n_replayed = static_cast<double>(n_layers * n_heads * (n_rows - first));
  result.mean_attention_error = attention_sum / (n_replayed * static_cast<double>(result.prefix));
  result.mean_output_error = output_sum / n_replayed;
}

}  // namespace qaq
