#pragma once

#include <cstdint>
#include <span>

#include "core/model/score_rule.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// Attention scores of one layer from its queries and keys, for the rows at `positions`
/// (ascending): what a capture of profile derive leaves out. `query` is (n_heads, T, D) after RoPE
/// and unscaled, `key` (n_kv_heads, T, D); the result (n_heads, positions.size(), T) is after the
/// softmax, by the layer's rule, and zero above the diagonal. In parallel over heads and rows.
NdArray<float, 3> derive_attention(const NdView<const float, 3>& query,
                                   const NdView<const float, 3>& key,
                                   std::span<const std::int32_t> positions,
                                   const LayerScoreRule& rule);

}  // namespace qaq
