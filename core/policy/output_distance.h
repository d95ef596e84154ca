#pragma once

#include "core/tensor/nd_array.h"

namespace qaq {

/// How far each value lies from what attention makes of all: ||v_t - X||^2 with X = sum over t of
/// s_t v_t, the largest over the query heads of a KV head (section 4.2 of the mathematics,
/// bound_target output). `scores` is one row of attention, (n_heads, 1, at least n_tokens), `value`
/// (n_kv_heads, at least n_tokens, D), `out` (n_kv_heads, n_tokens). Sums in float64.
void output_distances(const NdView<const float, 3>& scores, const NdView<const float, 3>& value,
                      const NdView<float, 2>& out);

}  // namespace qaq
