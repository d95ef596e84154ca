#pragma once

#include <cstdint>

#include "core/policy/qaq_params.h"
#include "core/tensor/nd_array.h"

namespace qaq {

/// What each query head gave the first `n_tokens` tokens in the newest `n_rows` rows of `scores`
/// (n_heads, at least n_rows, at least n_tokens): (n_heads, n_tokens), sums in float64.
NdArray<double, 2> attention_sums(const NdView<const float, 3>& scores, std::int64_t n_rows,
                                  std::int64_t n_tokens);

/// What KV heads have of their query heads' numbers (n_heads, n): (n_kv_heads, n).
NdArray<double, 2> reduce_groups(const NdView<const double, 2>& of_heads, GqaReduce reduce,
                                 std::int64_t n_kv_heads);

}  // namespace qaq
