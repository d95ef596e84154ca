#pragma once

#include <algorithm>
#include <cstdint>

#include "core/base/parallel.h"
#include "core/quant/quantizer_spec.h"

namespace qaq {

/// Sizes of a cache: keys or values (n_layers, n_kv_heads, n_tokens, head_dim).
struct CacheShape {
  std::int64_t n_layers = 0;
  std::int64_t n_kv_heads = 0;
  std::int64_t n_tokens = 0;
  std::int64_t head_dim = 0;

  std::int64_t n_values() const { return n_layers * n_kv_heads * n_tokens * head_dim; }
};

/// Which values form a unit. A unit never spans two tokens; units are numbered token first, then
/// layer, then KV head, as far as the level tells them apart (the authors' order).
class UnitLayout {
 public:
  UnitLayout() = default;
  UnitLayout(Level level, const CacheShape& shape) : level_(level), shape_(shape) {
    if (level != Level::token) n_layer_units_ = shape.n_layers;
    if (level != Level::token && level != Level::layer) n_head_units_ = shape.n_kv_heads;
  }

  Level level() const { return level_; }
  const CacheShape& shape() const { return shape_; }
  std::int64_t units_per_token() const { return n_layer_units_ * n_head_units_; }
  std::int64_t n_units() const { return shape_.n_tokens * units_per_token(); }
  /// Values in a unit, N.
  std::int64_t unit_size() const {
    return units_per_token() == 0
               ? 0
               : shape_.n_layers * shape_.n_kv_heads * shape_.head_dim / units_per_token();
  }
  /// The unit that holds the row of `head_dim` values at (layer, kv_head, token).
  std::int64_t unit(std::int64_t layer, std::int64_t kv_head, std::int64_t token) const {
    const std::int64_t layer_unit = n_layer_units_ == 1 ? 0 : layer;
    const std::int64_t head_unit = n_head_units_ == 1 ? 0 : kv_head;
    return (token * n_layer_units_ + layer_unit) * n_head_units_ + head_unit;
  }
  /// Where that row begins in its unit, whose values are ordered by layer, KV head and channel.
  std::int64_t first_in_unit(std::int64_t layer, std::int64_t kv_head) const {
    if (n_head_units_ != 1) return 0;
    const std::int64_t layer_in_unit = n_layer_units_ == 1 ? layer : 0;
    return (layer_in_unit * shape_.n_kv_heads + kv_head) * shape_.head_dim;
  }

  /// Calls body(unit, layer, kv_head, token) for every row of the cache, in parallel over tokens.
  /// Rows of a head lie side by side and units of a token do; some tokens at a time keep both near.
  template <class Body>
  void for_each_row(const Body& body) const {
    const std::int64_t n_tokens = shape_.n_tokens;
    parallel_for((n_tokens + kTokensTogether - 1) / kTokensTogether, [&](std::int64_t block) {
      const std::int64_t first = block * kTokensTogether;
      const std::int64_t end = std::min(n_tokens, first + kTokensTogether);
      for (std::int64_t layer = 0; layer < shape_.n_layers; ++layer) {
        for (std::int64_t head = 0; head < shape_.n_kv_heads; ++head) {
          for (std::int64_t token = first; token < end; ++token) {
            body(unit(layer, head, token), layer, head, token);
          }
        }
      }
    });
  }

  /// Calls body(unit, n, step) for the units that `block_size` tokens in a row, less at the end,
  /// have in the same place: unit, unit + step, .. n of them. In parallel over blocks.
  template <class Body>
  void for_each_block(std::int64_t block_size, const Body& body) const {
    const std::int64_t per_token = units_per_token(), n_tokens = shape_.n_tokens;
    parallel_for((n_tokens + block_size - 1) / block_size, [&](std::int64_t block) {
      const std::int64_t first = block * block_size;
      for (std::int64_t i = 0; i < per_token; ++i) {
        body(first * per_token + i, std::min(block_size, n_tokens - first), per_token);
      }
    });
  }

 private:
  static constexpr std::int64_t kTokensTogether = 16;

  Level level_ = Level::head;
  CacheShape shape_;
  std::int64_t n_layer_units_ = 1;  // units that a token's layers form
  std::int64_t n_head_units_ = 1;   // units that a layer's KV heads form
};

}  // namespace qaq
