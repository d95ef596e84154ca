#include "core/quant/unit_stats.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/quant/arith.h"

namespace qaq {
namespace {

// The k-th smallest (1-based) of values[from..), which is left at that place.
float select(std::span<float> values, std::int64_t from, std::int64_t k) {
  const auto nth = values.begin() + (k - 1);
  std::nth_element(values.begin() + from, nth, values.end());
  return *nth;
}

void set_thresholds(std::span<float> values, double ratio, UnitStats& stats) {
  if (ratio == 0) {
    stats.low = -std::numeric_limits<float>::infinity();
    stats.high = std::numeric_limits<float>::infinity();
    return;
  }
  const auto n = static_cast<std::int64_t>(values.size());
  const std::int64_t low_rank = k_low(ratio, n), high_rank = k_high(ratio, n);
  stats.low = select(values, 0, low_rank);
  // Where the ranks meet or cross, all values are outliers, whatever the upper threshold.
  stats.high = high_rank > low_rank ? select(values, low_rank, high_rank) : stats.low;
}

}  // namespace

float UnitStats::range(bool symmetric) const {
  const float span = symmetric ? 2 * std::max(std::abs(min), std::abs(max)) : max - min;
  return std::min(span, std::numeric_limits<float>::max());
}

UnitStats stats_of_unit(std::span<float> values, double outliers_ratio) {
  UnitStats stats;
  set_thresholds(values, outliers_ratio, stats);
  float min = std::numeric_limits<float>::infinity(), max = -min;
  double sum = 0;
  const auto inliers_end =
      std::partition(values.begin(), values.end(), [&](float x) { return !stats.is_outlier(x); });
  const auto n = static_cast<std::int32_t>(inliers_end - values.begin());
  if (n == 0) return stats;
  for (auto x = values.begin(); x != inliers_end; ++x) {
    min = std::min(min, *x);
    max = std::max(max, *x);
    sum += *x;
  }
  const double mean = sum / n;
  double squares = 0;
  for (auto x = values.begin(); x != inliers_end; ++x) squares += (*x - mean) * (*x - mean);
  stats.n_inliers = n;
  stats.min = min;
  stats.max = max;
  stats.mean = static_cast<float>(mean);
  stats.deviation = n > 1 ? static_cast<float>(std::sqrt(squares / (n - 1))) : 0.0f;
  return stats;
}

void fill_unit_stats(const UnitLayout& layout, double outliers_ratio, std::int64_t first_layer,
                     std::span<const CacheLayer> layers, std::span<UnitStats> stats) {
  assert(static_cast<std::int64_t>(stats.size()) == layout.n_units());
  assert(layout.level() != Level::token ||
         static_cast<std::int64_t>(layers.size()) == layout.shape().n_layers);
  for_each_unit(layout, first_layer, layers, [&](std::size_t unit, std::span<float> values) {
    stats[unit] = stats_of_unit(values, outliers_ratio);
  });
}

}  // namespace qaq
