#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace qaq {

/// The first of the keys [0, n_keys) that a query sees which attends to the last `window` of them,
/// itself among them; 0: to all.
inline std::int64_t first_key_seen(std::int64_t n_keys, std::int64_t window) {
  return window > 0 ? std::max<std::int64_t>(0, n_keys - window) : 0;
}

/// A product of query and key that no softmax sees: what it becomes is 0 beside any other.
inline constexpr float kUnseenProduct = -1e30f;

/// Makes products of the same keys unseen whose `kept` is 0; what one of them is longer, is seen.
inline void hide_dropped(std::span<const std::uint8_t> kept, std::span<float> products) {
  const std::size_t n = std::min(kept.size(), products.size());
  for (std::size_t t = 0; t < n; ++t) {
    if (kept[t] == 0) products[t] = kUnseenProduct;
  }
}

}  // namespace qaq
