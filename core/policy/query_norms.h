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

/// The squared 2-norm of one query.
double squared_norm(std::span<const float> query);

}  // namespace qaq
