#pragma once

#include <cstdint>
#include <span>

#include "core/tensor/nd_array.h"

namespace qaq {

/// Attention scores of some query rows of one head, on the calling thread:
///
///   out[i][t] = softmax over t <= positions[i] of query[positions[i]] . key[t] / sqrt(D)
///
/// and 0 behind; with a `window` above 0 over the last `window` of these t, and 0 before them, too.
/// `query` is (T, D), `key` (at least n_keys, D), `out` (positions.size(), n_keys) with n_keys
/// above every position. Products and exponentials in float32, sums of a row in float64.
void score_rows(const NdView<const float, 2>& query, const NdView<const float, 2>& key,
                std::span<const std::int32_t> positions, std::int64_t window,
                const NdView<float, 2>& out);

}  // namespace qaq
