#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/line_allocator.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Keys of one head as products read them (core/tensor/panel.h): 32 at a time, each channel's side
/// by side. Made once for all rows that meet them.
class KeyPanels {
 public:
  KeyPanels() = default;
  /// `key` is (n_keys, D).
  explicit KeyPanels(const NdView<const float, 2>& key);

  std::int64_t n_keys() const { return n_keys_; }
  std::int64_t head_dim() const { return head_dim_; }
  /// Keys 32 i to 32 i + 31, (D, 32); those that are not there are zero.
  const float* panel(std::int64_t i) const;

 private:
  std::int64_t n_keys_ = 0, head_dim_ = 0;
  std::vector<float, LineAllocator<float>> numbers_;
};

/// Keys (n_kv_heads, n_keys, D), head by head. In parallel over heads.
std::vector<KeyPanels> key_panels(const NdView<const float, 3>& key);

/// Attention scores of some query rows of one head, on the calling thread:
///
///   out[i][t] = softmax over t <= positions[i] of query[positions[i]] . key[t] / sqrt(D)
///
/// and 0 behind; with a `window` above 0 over the last `window` of these t, and 0 before them, too.
/// `query` is (T, D), `key` has at least n_keys, `out` is (positions.size(), n_keys) with n_keys
/// above every position. Products and exponentials in float32, sums of a row in float64.
void score_rows(const NdView<const float, 2>& query, const KeyPanels& key,
                std::span<const std::int32_t> positions, std::int64_t window,
                const NdView<float, 2>& out);
/// The same of keys (at least n_keys, D) that so few rows meet that panels are not worth making.
/// Sums may round otherwise.
void score_rows(const NdView<const float, 2>& query, const NdView<const float, 2>& key,
                std::span<const std::int32_t> positions, std::int64_t window,
                const NdView<float, 2>& out);

}  // namespace qaq
