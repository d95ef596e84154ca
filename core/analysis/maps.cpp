#include "core/analysis/maps.h"

#include <algorithm>
#include <cmath>

#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

const CacheReplay& replay_of(const ReplayResult& result, CacheSide side) {
  return side == CacheSide::key ? result.key : result.value;
}

}  // namespace

Heatmap bit_map(const ReplayResult& result, const CaptureInfo& info, CacheSide side) {
  const NdArray<std::uint8_t, 3>& bits = replay_of(result, side).bits;
  const std::int64_t n_heads = info.shape.n_kv_heads;
  Heatmap map;
  map.reducer = Reducer::min;
  map.cells = NdArray<float, 2>({info.shape.n_layers * n_heads, info.n_tokens}, Heatmap::kAbsent);
  for (std::int64_t index = 0; index < bits.shape(0); ++index) {
    const std::int64_t layer = info.layers[static_cast<std::size_t>(index)];
    for (std::int64_t head = 0; head < n_heads; ++head) {
      const auto from = bits.sub(index, head).span();
      const auto to = map.cells.sub(layer * n_heads + head).span();
      const auto prefix = static_cast<std::ptrdiff_t>(result.prefix);
      std::copy(from.begin(), from.begin() + prefix, to.begin());
      std::fill(to.begin() + prefix, to.end(), Heatmap::kImpossible);
    }
  }
  return map;
}

BitHistogram bit_histogram(const ReplayResult& result, CacheSide side) {
  const NdArray<std::uint8_t, 3>& bits = replay_of(result, side).bits;
  BitHistogram histogram;
  std::int64_t sum = 0;
  for (std::int64_t layer = 0; layer < bits.shape(0); ++layer) {
    for (std::int64_t head = 0; head < bits.shape(1); ++head) {
      for (std::int64_t token = 0; token < result.prefix; ++token) {
        const std::uint8_t n = bits(layer, head, token);
        ++histogram.count.at(n);
        ++histogram.total;
        sum += n;
      }
    }
  }
  if (histogram.total > 0) {
    histogram.mean = static_cast<double>(sum) / static_cast<double>(histogram.total);
  }
  return histogram;
}

Heatmap magnitude_map(const CaptureView& capture, CacheSide side, std::int64_t layer_index,
                      std::int64_t kv_head) {
  const auto cache = side == CacheSide::key ? capture.key(layer_index) : capture.value(layer_index);
  const std::int64_t n_tokens = cache->shape(1), head_dim = cache->shape(2);
  Heatmap map;
  map.cells = NdArray<float, 2>({head_dim, n_tokens});
  for (std::int64_t token = 0; token < n_tokens; ++token) {
    for (std::int64_t channel = 0; channel < head_dim; ++channel) {
      map.cells(channel, token) = std::abs((*cache)(kv_head, token, channel));
    }
  }
  return map;
}

Heatmap outlier_mask(const ReplayResult& result, const CaptureInfo& info, CacheSide side,
                     std::int64_t layer_index, std::int64_t kv_head) {
  const auto masks = replay_of(result, side).outliers.sub(layer_index, kv_head);
  Heatmap map;
  map.cells = NdArray<float, 2>({info.shape.head_dim, info.n_tokens}, Heatmap::kImpossible);
  for (std::int64_t token = 0; token < result.prefix; ++token) {
    for (std::int64_t channel = 0; channel < info.shape.head_dim; ++channel) {
      const bool kept = (masks(token, channel / 8) >> (7 - channel % 8) & 1) != 0;
      map.cells(channel, token) = kept ? 1.0f : 0.0f;
    }
  }
  return map;
}

Heatmap attention_map(const CaptureView& capture, std::int64_t layer_index, std::int64_t head,
                      bool group) {
  const CaptureInfo& info = capture.info();
  const std::int64_t n_tokens = info.n_tokens, n_rows = info.n_query_rows();
  const std::int64_t n_merged = group ? info.shape.group_size() : 1;
  const std::int64_t first_head = group ? head * n_merged : head;
  Heatmap map;
  map.cells = NdArray<float, 2>({n_tokens, n_tokens}, Heatmap::kImpossible);
  for (std::int64_t s = 0; s < n_tokens; ++s) {
    std::fill_n(map.cells.sub(s).data(), s + 1, Heatmap::kAbsent);
  }
  const std::int64_t step = rows_at_a_time(info);
  for (std::int64_t first = 0; first < n_rows; first += step) {
    const std::int64_t count = std::min(step, n_rows - first);
    const auto scores = capture.attention(layer_index, first, count);
    for (std::int64_t row = 0; row < count; ++row) {
      const std::int64_t s = info.query_token[static_cast<std::size_t>(first + row)];
      const auto cells = map.cells.sub(s).span().first(static_cast<std::size_t>(s + 1));
      for (std::int64_t h = first_head; h < first_head + n_merged; ++h) {
        const auto from = scores->sub(h, row).span();
        for (std::size_t t = 0; t < cells.size(); ++t) cells[t] = std::max(cells[t], from[t]);
      }
    }
  }
  return map;
}

}  // namespace qaq
