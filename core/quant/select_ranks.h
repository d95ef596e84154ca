#pragma once

#include <cstdint>
#include <span>

namespace qaq {

/// Two order statistics of a unit.
struct RankValues {
  float low = 0;
  float high = 0;
};

/// The low_rank-th and the high_rank-th smallest value, 1-based, low_rank < high_rank. Finite
/// values, in any order, which stay.
RankValues select_ranks(std::span<const float> values, std::int64_t low_rank,
                        std::int64_t high_rank);

}  // namespace qaq
