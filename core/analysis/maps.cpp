#include "core/analysis/maps.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/analysis/scope_params.h"
#include "core/replay/capture_rows.h"

namespace qaq {
namespace {

const CacheReplay& replay_of(const ReplayResult& result, CacheSide side) {
  return side == CacheSide::key ? result.key : result.value;
}

// (layers and KV heads, tokens) of a bit map; null where nothing is evicted.
SharedArray<std::uint8_t, 2> evicted_cells(const ReplayResult& result, const CaptureInfo& info,
                                           CacheSide side) {
  const CacheReplay& cache = replay_of(result, side);
  if (!cache.evicts()) return nullptr;
  const std::int64_t n_heads = info.shape.n_kv_heads;
  NdArray<std::uint8_t, 2> out({info.shape.n_layers * n_heads, info.n_tokens});
  for (std::int64_t index = 0; index < cache.bits.shape(0); ++index) {
    const std::int64_t layer = info.layers[static_cast<std::size_t>(index)];
    for (std::int64_t head = 0; head < n_heads; ++head) {
      const auto bits = cache.bits.sub(index, head).span();
      std::ranges::transform(bits, out.sub(layer * n_heads + head).data(), [](std::uint8_t n) {
        return static_cast<std::uint8_t>(n == CacheReplay::kEvicted);
      });
    }
  }
  return std::make_shared<const NdArray<std::uint8_t, 2>>(std::move(out));
}

}  // namespace

Heatmap bit_map(const ReplayResult& result, const CaptureInfo& info, CacheSide side) {
  const NdArray<std::uint8_t, 3>& bits = replay_of(result, side).bits;
  const std::int64_t n_heads = info.shape.n_kv_heads;
  NdArray<std::uint8_t, 2> cells({info.shape.n_layers * n_heads, info.n_tokens},
                                 Heatmap::kAbsentCode<std::uint8_t>);
  for (std::int64_t index = 0; index < bits.shape(0); ++index) {
    const std::int64_t layer = info.layers[static_cast<std::size_t>(index)];
    for (std::int64_t head = 0; head < n_heads; ++head) {
      std::copy_n(bits.sub(index, head).data(), result.prefix,
                  cells.sub(layer * n_heads + head).data());
    }
  }
  // kEvicted is the code of absent cells.
  static_assert(CacheReplay::kEvicted == Heatmap::kAbsentCode<std::uint8_t>);
  auto evicted = evicted_cells(result, info, side);
  Heatmap map(std::move(cells));
  map.mark_evicted(std::move(evicted));
  for (const std::int64_t layer : info.layers) {
    for (std::int64_t head = 0; head < n_heads; ++head) {
      map.limit_row(layer * n_heads + head, {0, static_cast<std::int32_t>(result.prefix)});
    }
  }
  return map;
}

int exact_from(const ReplayResult& result, CacheSide side) {
  const ScopeParams params = scope_params_of(result.policy, result.parameters);
  const Level level = side == CacheSide::key ? params.qaq.key.level : params.qaq.value.level;
  const bool is_coded = params.uses_qaq() && level != Level::no_quantization;
  return is_coded ? kWidestBits + 1 : result.dtype_bits;
}

BitHistogram operator+(const BitHistogram& a, const BitHistogram& b) {
  BitHistogram out = a;
  for (std::size_t bits = 0; bits < out.count.size(); ++bits) out.count[bits] += b.count[bits];
  out.total += b.total;
  out.evicted += b.evicted;
  if (out.total > 0) {
    const auto of_a = static_cast<double>(a.total), of_b = static_cast<double>(b.total);
    out.mean = (a.mean * of_a + b.mean * of_b) / (of_a + of_b);
  }
  return out;
}

BitHistogram bit_histogram(const ReplayResult& result, CacheSide side) {
  const NdArray<std::uint8_t, 3>& bits = replay_of(result, side).bits;
  BitHistogram histogram;
  std::int64_t sum = 0;
  for (std::int64_t layer = 0; layer < bits.shape(0); ++layer) {
    for (std::int64_t head = 0; head < bits.shape(1); ++head) {
      for (std::int64_t token = 0; token < result.prefix; ++token) {
        const std::uint8_t n = bits(layer, head, token);
        if (n == CacheReplay::kEvicted) {
          ++histogram.evicted;
          continue;
        }
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
                      std::int64_t kv_head, const CacheReplay* cache) {
  const auto values =
      side == CacheSide::key ? capture.key(layer_index) : capture.value(layer_index);
  const std::int64_t n_tokens = values->shape(1), head_dim = values->shape(2);
  const bool evicts = cache != nullptr && cache->evicts();
  NdArray<float, 2> cells({head_dim, n_tokens});
  NdArray<std::uint8_t, 2> evicted(evicts ? cells.shape() : Shape<2>{});
  for (std::int64_t token = 0; token < n_tokens; ++token) {
    const bool is_gone =
        evicts && cache->bits(layer_index, kv_head, token) == CacheReplay::kEvicted;
    for (std::int64_t channel = 0; channel < head_dim; ++channel) {
      cells(channel, token) =
          is_gone ? Heatmap::kAbsent : std::abs((*values)(kv_head, token, channel));
      if (is_gone) evicted(channel, token) = 1;
    }
  }
  Heatmap map(std::move(cells));
  if (evicts) {
    map.mark_evicted(std::make_shared<const NdArray<std::uint8_t, 2>>(std::move(evicted)));
  }
  return map;
}

Heatmap outlier_mask(const ReplayResult& result, const CaptureInfo& info, CacheSide side,
                     std::int64_t layer_index, std::int64_t kv_head) {
  const auto masks = replay_of(result, side).outliers.sub(layer_index, kv_head);
  NdArray<std::uint8_t, 2> cells({info.shape.head_dim, info.n_tokens});
  for (std::int64_t token = 0; token < result.prefix; ++token) {
    for (std::int64_t channel = 0; channel < info.shape.head_dim; ++channel) {
      cells(channel, token) = masks(token, channel / 8) >> (7 - channel % 8) & 1;
    }
  }
  Heatmap map(std::move(cells));
  for (std::int64_t channel = 0; channel < info.shape.head_dim; ++channel) {
    map.limit_row(channel, {0, static_cast<std::int32_t>(result.prefix)});
  }
  return map;
}

Heatmap attention_map(const CaptureView& capture, std::int64_t layer_index, std::int64_t head,
                      bool group) {
  const CaptureInfo& info = capture.info();
  const std::int64_t n_tokens = info.n_tokens, n_rows = info.n_query_rows();
  const std::int64_t n_merged = group ? info.shape.group_size() : 1;
  const std::int64_t first_head = group ? head * n_merged : head;
  NdArray<float, 2> cells({n_tokens, n_tokens}, Heatmap::kAbsent);
  const std::int64_t step = rows_at_a_time(info);
  for (std::int64_t first = 0; first < n_rows; first += step) {
    const std::int64_t count = std::min(step, n_rows - first);
    const auto scores = capture.attention(layer_index, first, count);
    for (std::int64_t row = 0; row < count; ++row) {
      const std::int64_t s = info.query_token[static_cast<std::size_t>(first + row)];
      const auto to = cells.sub(s).span().first(static_cast<std::size_t>(s + 1));
      std::copy_n(scores->sub(first_head, row).data(), to.size(), to.begin());
      for (std::int64_t h = first_head + 1; h < first_head + n_merged; ++h) {
        const auto from = scores->sub(h, row).span();
        for (std::size_t t = 0; t < to.size(); ++t) to[t] = std::max(to[t], from[t]);
      }
    }
  }
  Heatmap map(std::move(cells));
  for (std::int64_t s = 0; s < n_tokens; ++s) {
    map.limit_row(s, {0, static_cast<std::int32_t>(s + 1)});
  }
  return map;
}

}  // namespace qaq
