#pragma once

#include <cstdint>
#include <vector>

namespace qaq {

/// What Python gives for `random.seed(seed); random.sample(range(n), k)`, 0 <= k <= n < 2^32: with
/// seed 42 the questions that the authors' code asks of a set of n, in its order.
std::vector<std::int64_t> random_sample(std::uint32_t seed, std::int64_t n, std::int64_t k);

}  // namespace qaq
