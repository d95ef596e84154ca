#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/quant/unit_layout.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// One layer of a cache: (n_kv_heads, at least n_tokens, head_dim).
using CacheLayer = NdView<const float, 3>;

/// Tokens first, first + 1, ... end - 1 of a layer.
struct TokenSpan {
  std::int64_t first = 0;
  std::int64_t end = 0;

  std::int64_t size() const { return end - first; }
};

/// Tokens of a tile at most.
inline constexpr std::int64_t kTileTokens = 128;

/// Units of `n_tokens` tokens that follow each other, alike in layer and head.
struct UnitTile {
  std::int64_t n_tokens = 0;
  std::int64_t first_unit = 0;   ///< of the first token
  std::int64_t unit_stride = 0;  ///< from a token's unit to the next token's
  /// The rows of the first token's unit, in the order of its values; the next token's follow right
  /// behind each.
  std::span<const float* const> rows;
  std::int64_t row_size = 0;  ///< head_dim

  std::size_t unit(std::int64_t i) const {
    return static_cast<std::size_t>(first_unit + i * unit_stride);
  }
  /// The values of the i-th token's unit side by side: where they lie, or copied to `space`.
  std::span<const float> values(std::int64_t i, std::vector<float>& space) const {
    const auto size = static_cast<std::size_t>(row_size);
    if (rows.size() == 1) return {rows[0] + i * row_size, size};
    space.resize(rows.size() * size);
    float* to = space.data();
    for (const float* row : rows) to = std::copy_n(row + i * row_size, size, to);
    return space;
  }
};

/// Calls body(tile) until every unit that lies in `layers` was in one: layers first_layer,
/// first_layer + 1, ... of the cache. At level token a unit spans all layers, so all are given at
/// once; at the others any run of layers will do. Only the first n_tokens tokens of the layout are
/// read, in the order in which they lie in memory. In parallel over layers and tokens.
template <class Body>
void for_each_tile(const UnitLayout& layout, std::int64_t first_layer,
                   std::span<const CacheLayer> layers, const Body& body) {
  const CacheShape& shape = layout.shape();
  const auto n_layers = static_cast<std::int64_t>(layers.size());
  // Layers that are read together: all that a unit spans.
  const std::int64_t n_together = layout.level() == Level::token ? n_layers : 1;
  // Tens of microseconds of work a tile.
  const std::int64_t block = std::clamp<std::int64_t>(65536 / layout.unit_size(), 1, kTileTokens);
  const std::int64_t n_blocks = (shape.n_tokens + block - 1) / block;
  const auto rows_of_unit = static_cast<std::size_t>(layout.unit_size() / shape.head_dim);
  parallel_for(n_layers / n_together * n_blocks, [&](std::int64_t i) {
    const std::int64_t first = i / n_blocks * n_together, token = i % n_blocks * block;
    std::vector<const float*> rows;
    rows.reserve(rows_of_unit);
    for (std::int64_t layer = first; layer < first + n_together; ++layer) {
      for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
        rows.push_back(layers[static_cast<std::size_t>(layer)].sub(head, token).data());
        if (rows.size() < rows_of_unit) continue;
        body(UnitTile{std::min(block, shape.n_tokens - token),
                      layout.unit(first_layer + layer, head, token), layout.units_per_token(), rows,
                      shape.head_dim});
        rows.clear();
      }
    }
  });
}

/// Calls body(unit, values) for the same units, one by one.
template <class Body>
void for_each_unit(const UnitLayout& layout, std::int64_t first_layer,
                   std::span<const CacheLayer> layers, const Body& body) {
  for_each_tile(layout, first_layer, layers, [&](const UnitTile& tile) {
    std::vector<float> space;
    for (std::int64_t i = 0; i < tile.n_tokens; ++i) body(tile.unit(i), tile.values(i, space));
  });
}

}  // namespace qaq
