#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/nd_array.h"

namespace qaq {

/// A quantile of the squared 2-norms of the queries that read each KV head: over the first n_tokens
/// tokens and all query heads of its group, interpolated linearly between neighbours (q2 of section
/// 4.2 of the mathematics; 0.9 is the paper's 90th percentile). `query` is (n_heads, at least
/// n_tokens, D), unscaled, `out` (n_kv_heads). Norms are summed in float64.
void query_norm_quantiles(const NdView<const float, 3>& query, std::int64_t n_tokens,
                          double quantile, std::span<float> out);

/// The same of norms that are known already: `norms` is (n_heads, at least n_tokens).
void norm_quantiles(const NdView<const double, 2>& norms, std::int64_t n_tokens, double quantile,
                    std::span<float> out);

/// The squared 2-norms of `query` (n_heads, at least n_tokens, D): (n_heads, n_tokens).
NdArray<double, 2> squared_norms(const NdView<const float, 3>& query, std::int64_t n_tokens);

/// The squared 2-norm of one query.
double squared_norm(std::span<const float> query);

}  // namespace qaq
