#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/nd_array.h"

namespace qaq {

/// The places of the `n` largest numbers, ascending; of equal ones those of the lower index. All of
/// them where there are no more. No NaN.
std::vector<std::size_t> largest(std::span<const double> numbers, std::int64_t n);

/// Of each KV head the `n_sure` tokens that score highest, and of all others of the layer the best,
/// so that the heads keep `n` each on average; n_sure <= n <= T. `scores`, `kept` (n_kv_heads, T).
void keep_best(const NdView<const double, 2>& scores, std::int64_t n, std::int64_t n_sure,
               const NdView<std::uint8_t, 2>& kept);

}  // namespace qaq
