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

/// Calls body(unit, values) for every unit that lies in `layers`, which are layers first_layer,
/// first_layer + 1, ... of the cache; `values` (layout.unit_size()) are side by side. At level
/// token a unit spans all layers, so all are given at once; at the others any run of layers will
/// do. Only the first n_tokens tokens of the layout are read. In parallel over tokens.
template <class Body>
void for_each_unit(const UnitLayout& layout, std::int64_t first_layer,
                   std::span<const CacheLayer> layers, const Body& body) {
  const CacheShape& shape = layout.shape();
  // Some ten microseconds of work a block.
  const std::int64_t values_per_token =
      static_cast<std::int64_t>(layers.size()) * shape.n_kv_heads * shape.head_dim;
  const std::int64_t block = std::clamp<std::int64_t>(4096 / values_per_token, 1, 64);
  parallel_for((shape.n_tokens + block - 1) / block, [&](std::int64_t i) {
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(layout.unit_size()));
    const std::int64_t end = std::min(shape.n_tokens, (i + 1) * block);
    for (std::int64_t token = i * block; token < end; ++token) {
      // Rows of one unit follow each other in this order; a unit ends where its number changes.
      for (std::size_t k = 0; k < layers.size(); ++k) {
        const std::int64_t layer = first_layer + static_cast<std::int64_t>(k);
        for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
          const auto row = layers[k].sub(head, token).span();
          const auto unit = static_cast<std::size_t>(layout.unit(layer, head, token));
          if (std::ssize(row) == layout.unit_size()) {
            body(unit, row);
            continue;
          }
          values.insert(values.end(), row.begin(), row.end());
          if (std::ssize(values) < layout.unit_size()) continue;
          body(unit, std::span<const float>(values));
          values.clear();
        }
      }
    }
  });
}

}  // namespace qaq
