#pragma once

#include <array>
#include <cstdint>

#include "core/analysis/heatmap.h"
#include "core/policy/qaq_params.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// Bits of one cache: rows are model layers with their KV heads as sub-rows (row = layer *
/// n_kv_heads + kv_head), columns are tokens. Layers that were not captured are absent, tokens
/// behind the prefix impossible, evicted ones evicted. Of uint8.
Heatmap bit_map(const ReplayResult& result, const CaptureInfo& info, CacheSide side);

/// The widest code that there is.
inline constexpr int kWidestBits = 16;
/// From how many bits on a cell of a bit map was left exact: QAQ may choose a width of 16 bits, a
/// rival's format has none.
int exact_from(const ReplayResult& result, CacheSide side);

/// Cells of the prefix with each width 0..16 (index = bits), and how many they are; those that are
/// evicted have none.
struct BitHistogram {
  std::array<std::int64_t, 33> count{};
  std::int64_t total = 0;
  double mean = 0;
  std::int64_t evicted = 0;
};
/// Of the units of both.
BitHistogram operator+(const BitHistogram& a, const BitHistogram& b);
BitHistogram bit_histogram(const ReplayResult& result, CacheSide side);

/// |value| of one layer and KV head: rows are channels, columns tokens; those that `cache` has
/// evicted evicted (null: none). Of float32.
Heatmap magnitude_map(const CaptureView& capture, CacheSide side, std::int64_t layer_index,
                      std::int64_t kv_head, const CacheReplay* cache = nullptr);

/// 1 where a value was kept exactly, else 0; same axes. Tokens behind the prefix are impossible.
/// Of uint8.
Heatmap outlier_mask(const ReplayResult& result, const CaptureInfo& info, CacheSide side,
                     std::int64_t layer_index, std::int64_t kv_head);

/// Attention of one layer: rows are query positions 0..T-1 (absent where not captured), columns key
/// tokens, impossible above the diagonal. `head` is a query head; or, with `group` true, a KV head
/// whose query heads are reduced by maximum. Of float32.
Heatmap attention_map(const CaptureView& capture, std::int64_t layer_index, std::int64_t head,
                      bool group);

}  // namespace qaq
