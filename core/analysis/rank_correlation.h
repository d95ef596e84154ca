#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/evaluate/statistics.h"

namespace qaq {

/// Ranks from 1, ascending; equal numbers share the mean of their ranks.
std::vector<double> average_ranks(std::span<const double> numbers);

/// How alike two orders are.
struct RankCorrelation {
  double rho = 0;       ///< Spearman's: Pearson's correlation of the average ranks
  std::int64_t n = 0;   ///< pairs
  Interval interval{};  ///< 95 %
  /// Whether the interval leaves no more than chance to be claimed.
  bool may_be_chance() const { return interval.low <= 0 && interval.high >= 0; }
};
/// Of fewer pairs no interval is claimed: it is (-1, 1).
inline constexpr std::int64_t kLeastRanked = 10;

/// Of the pairs of which both are finite; nothing of less than two, or where one side has the same
/// number throughout. The interval is tanh(artanh rho +- 1.96 sqrt((1 + rho^2 / 2) / (n - 3)))
/// (Bonett and Wright 2000, Psychometrika 65); it supposes that pairs are independent.
std::optional<RankCorrelation> rank_correlation(std::span<const double> a,
                                                std::span<const double> b);

}  // namespace qaq
