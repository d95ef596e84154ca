#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/replay/bound_check.h"
#include "core/replay/bound_sums.h"

namespace qaq {

/// Some rows of one query head as they were captured, and the layer's caches before and after.
struct BoundBlock {
  NdView<const float, 2> query;             ///< (T, D)
  NdView<const float, 2> scores;            ///< (n_rows, T), as captured
  NdView<const float, 2> key;               ///< (n_keys, D), as captured
  NdView<const float, 2> value;             ///< (n_keys, D)
  NdView<const float, 2> new_key;           ///< (n_keys, D), quantized
  NdView<const float, 2> new_value;         ///< (n_keys, D)
  std::span<const std::int32_t> positions;  ///< (n_rows), all below n_keys
  ScoreRule rule{};
};

/// Squared errors under each promise; empty where it was not asked for.
using PromiseErrors = std::array<SquaredErrors, kPromises>;

/// Measures a block against caches that changed. Entries are (S' - S)^2 of each of n_keys keys, or
/// (X' - X)^2 of each channel.
class BlockMeter {
 public:
  explicit BlockMeter(const BoundBlock& block);
  /// Adds the squares that `key` and `value` (n_keys, D) make to `errors`, of the promises that are
  /// `wanted`.
  void add(const NdView<const float, 2>& key, const NdView<const float, 2>& value,
           const std::array<bool, kPromises>& wanted, PromiseErrors& errors) const;

 private:
  const BoundBlock& block_;
  NdArray<float, 2> scores_;  // (n_rows, n_keys)
  NdArray<float, 2> output_;  // (n_rows, D)
};

}  // namespace qaq
