#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/tensor/nd_array.h"

namespace qaq {

/// How far a KV head's query norms reach by their moving average: m + z sqrt(var). With x_s the
/// largest squared 2-norm of the group's queries at token s, m and var begin at x_0 and 0; then, of
/// d = x_s - m, m grows by (1 - beta) d and var becomes beta (var + (1 - beta) d^2) (section 9 of
/// the mathematics, sensitivity ema).
struct NormAverage {
  double beta = 0.8;
  double z = 1.28;

  bool operator==(const NormAverage&) const = default;
};

/// What stands for the squared 2-norm of the queries that read a KV head.
struct QueryNormRule {
  double quantile = 0.9;  ///< of all, where there is no average
  std::optional<NormAverage> average{};

  bool operator==(const QueryNormRule&) const = default;
};

/// A quantile of the squared 2-norms of the queries that read each KV head: over the first n_tokens
/// tokens and all query heads of its group, interpolated linearly between neighbours (q2 of section
/// 4.2 of the mathematics; 0.9 is the paper's 90th percentile). `query` is (n_heads, at least
/// n_tokens, D), unscaled, `out` (n_kv_heads). Norms are summed in float64.
void query_norm_quantiles(const NdView<const float, 3>& query, std::int64_t n_tokens,
                          double quantile, std::span<float> out);

/// The same of norms that are known already: `norms` is (n_heads, at least n_tokens).
void norm_quantiles(const NdView<const double, 2>& norms, std::int64_t n_tokens, double quantile,
                    std::span<float> out);

/// The moving average of norms that are known already, in float64: `norms` and `out` as above.
void norm_averages(const NdView<const double, 2>& norms, std::int64_t n_tokens,
                   const NormAverage& average, std::span<float> out);

/// What `rule` makes of norms that are known already: `norms` and `out` as above.
void query_norms(const NdView<const double, 2>& norms, std::int64_t n_tokens,
                 const QueryNormRule& rule, std::span<float> out);

/// The squared 2-norms of `query` (n_heads, at least n_tokens, D): (n_heads, n_tokens).
NdArray<double, 2> squared_norms(const NdView<const float, 3>& query, std::int64_t n_tokens);

/// The squared 2-norm of one query.
double squared_norm(std::span<const float> query);

}  // namespace qaq
