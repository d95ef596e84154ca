#pragma once

#include <cstdint>

#include "core/replay/kept_tokens.h"

namespace qaq {

/// The row that a query of the KV heads' groups attends with where tokens were evicted: `row`
/// (n_heads, 1, n or more) of the whole cache without the columns that `kept` (n_kv_heads, up to n)
/// drops, renormalised over the others. A row that has nothing there stays as it is.
void leave_out_evicted(const NdView<const std::uint8_t, 2>& kept, const NdView<float, 3>& row);

/// Which tokens are left of a cache that grows, while a policy that evicts is asked at every step.
class StreamRetention {
 public:
  /// Goes on behind a prompt, with room for max_tokens tokens.
  StreamRetention(KeptPrompt prompt, std::int64_t max_tokens);

  /// The newest token's row of a layer, (n_heads, 1, at least position + 1), 0 at evicted tokens:
  /// the token is there now, and the layer chooses again. Rows of a layer come in order; layers may
  /// come on several threads.
  void push(std::int64_t layer, std::int64_t position, const NdView<const float, 3>& row);
  /// (n_layers, n_kv_heads, n_tokens), as of the newest rows of all layers.
  SharedArray<std::uint8_t, 3> kept(std::int64_t n_tokens) const;

 private:
  std::vector<std::unique_ptr<LayerRetention>> layers_;
  NdArray<std::uint8_t, 3> kept_;  // (n_layers, n_kv_heads, max_tokens)
};

}  // namespace qaq
