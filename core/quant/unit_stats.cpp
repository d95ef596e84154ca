#include "core/quant/unit_stats.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/quant/arith.h"
#include "core/quant/row_kernels.h"
#include "core/quant/select_ranks.h"

namespace qaq {
namespace {

void set_thresholds(std::span<const float> values, double ratio, UnitStats& stats) {
  if (ratio == 0) {
    stats.low = -std::numeric_limits<float>::infinity();
    stats.high = std::numeric_limits<float>::infinity();
    return;
  }
  const auto n = static_cast<std::int64_t>(values.size());
  const std::int64_t low_rank = k_low(ratio, n), high_rank = k_high(ratio, n);
  if (high_rank <= low_rank) {
    // The ranks meet or cross: all values are outliers.
    stats.low = stats.high = std::numeric_limits<float>::infinity();
    return;
  }
  const RankValues thresholds = select_ranks(values, low_rank, high_rank);
  stats.low = thresholds.low;
  stats.high = thresholds.high;
}

}  // namespace

float UnitStats::range(bool symmetric) const {
  const float span = symmetric ? 2 * std::max(std::abs(min), std::abs(max)) : max - min;
  return std::min(span, std::numeric_limits<float>::max());
}

UnitStats stats_of_unit(std::span<const float> values, double outliers_ratio) {
  UnitStats stats;
  set_thresholds(values, outliers_ratio, stats);
  const InlierExtent inliers = inlier_extent(values, stats.low, stats.high);
  const auto n = static_cast<std::int32_t>(inliers.count);
  if (n == 0) return stats;
  const double mean = inliers.sum / n;
  stats.n_inliers = n;
  stats.min = inliers.min;
  stats.max = inliers.max;
  stats.mean = static_cast<float>(mean);
  if (n > 1) {
    const double squares = inlier_squares(values, stats.low, stats.high, mean);
    stats.deviation = static_cast<float>(std::sqrt(squares / (n - 1)));
  }
  return stats;
}

void fill_unit_stats(const UnitLayout& layout, double outliers_ratio, std::int64_t first_layer,
                     std::span<const CacheLayer> layers, std::span<UnitStats> stats) {
  assert(static_cast<std::int64_t>(stats.size()) == layout.n_units());
  assert(layout.level() != Level::token ||
         static_cast<std::int64_t>(layers.size()) == layout.shape().n_layers);
  for_each_unit(layout, first_layer, layers, [&](std::size_t unit, std::span<const float> values) {
    stats[unit] = stats_of_unit(values, outliers_ratio);
  });
}

}  // namespace qaq
