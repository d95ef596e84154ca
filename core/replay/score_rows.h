#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/model/score_rule.h"
#include "core/tensor/line_allocator.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Keys of one head for so many rows to meet: as they lie, or, where rows are many, once more as
/// products read them fastest (core/tensor/panel.h): 32 at a time, each channel's side by side.
class ScoreKeys {
 public:
  ScoreKeys() = default;
  /// `key` is (n_keys, D) and outlives it.
  ScoreKeys(const NdView<const float, 2>& key, std::int64_t n_rows);

  const NdView<const float, 2>& keys() const { return key_; }
  bool has_panels() const { return !panels_.empty(); }
  /// Keys 32 i to 32 i + 31, (D, 32); those that are not there are zero.
  const float* panel(std::int64_t i) const;

 private:
  NdView<const float, 2> key_;
  std::vector<float, LineAllocator<float>> panels_;
};
/// Keys (n_kv_heads, n_keys, D), head by head. In parallel over heads.
std::vector<ScoreKeys> score_keys(const NdView<const float, 3>& key, std::int64_t n_rows);

/// Attention scores of some query rows of one head, on the calling thread:
///
///   out[i][t] = softmax over t <= positions[i] of
///                   query[positions[i]] . key[t] / sqrt(D) - alibi_slope (positions[i] - t)
///
/// and 0 behind; with a window above 0 over the last `window` of these t, and 0 before them, too;
/// with a top_k above 0 over the top_k largest of what is left (sparse_softmax_row()).
/// `query` is (T, D), `key` has at least n_keys, `out` is (positions.size(), n_keys) with n_keys
/// above every position. `kept`: where it is 0 the key of that position is seen by its own query
/// alone; keys behind it are all seen. Products and exponentials in float32, sums of a row in
/// float64.
void score_rows(const NdView<const float, 2>& query, const ScoreKeys& key,
                std::span<const std::int32_t> positions, const ScoreRule& rule,
                const NdView<float, 2>& out, std::span<const std::uint8_t> kept = {});

}  // namespace qaq
