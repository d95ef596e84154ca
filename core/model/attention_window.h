#pragma once

#include <algorithm>
#include <cstdint>

namespace qaq {

/// The first of the keys [0, n_keys) that a query sees which attends to the last `window` of them,
/// itself among them; 0: to all.
inline std::int64_t first_key_seen(std::int64_t n_keys, std::int64_t window) {
  return window > 0 ? std::max<std::int64_t>(0, n_keys - window) : 0;
}

}  // namespace qaq
