#pragma once

#include <cstdint>
#include <span>

#include "core/policy/qaq_params.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What the KV heads of one layer see of their query heads' attention, as a maximum over rows:
///
///   out[kv_head][t] = max over rows of reduce over the group of scores[head][row][t]
///
/// `scores` is (n_heads, n_rows, at least n_tokens), `out` (n_kv_heads, n_tokens); query head h
/// belongs to KV head h / (n_heads / n_kv_heads), whose group is looked at from its first head on
/// in steps of `head_stride`: with max and sum no step makes importance larger. Without rows `out`
/// is 0.
void window_importance(const NdView<const float, 3>& scores, GqaReduce reduce,
                       const NdView<float, 2>& out, std::int64_t head_stride = 1);

/// One row of it for one of `n_kv_heads`: out[t] = reduce over the group of scores[head][row][t],
/// for as many tokens as `out` has.
void row_importance(const NdView<const float, 3>& scores, GqaReduce reduce, std::int64_t kv_head,
                    std::int64_t n_kv_heads, std::int64_t row, std::span<float> out,
                    std::int64_t head_stride = 1);

}  // namespace qaq
