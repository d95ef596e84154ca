#include "core/quant/unit_stats.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "core/base/parallel.h"
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
  const CacheShape& shape = layout.shape();
  assert(static_cast<std::int64_t>(stats.size()) == layout.n_units());
  assert(layout.level() != Level::token ||
         static_cast<std::int64_t>(layers.size()) == shape.n_layers);
  // Some ten microseconds of work a block.
  const std::int64_t values_per_token =
      static_cast<std::int64_t>(layers.size()) * shape.n_kv_heads * shape.head_dim;
  const std::int64_t block = std::clamp<std::int64_t>(4096 / values_per_token, 1, 64);
  parallel_for((shape.n_tokens + block - 1) / block, [&](std::int64_t i) {
    std::vector<float> values;
    values.reserve(static_cast<std::size_t>(layout.unit_size()));
    const std::int64_t end = std::min(shape.n_tokens, (i + 1) * block);
    for (std::int64_t token = i * block; token < end; ++token) {
      // Rows of one unit follow each other in this order; a unit ends where its number changes.
      for (std::size_t k = 0; k < layers.size(); ++k) {
        const std::int64_t layer = first_layer + static_cast<std::int64_t>(k);
        for (std::int64_t head = 0; head < shape.n_kv_heads; ++head) {
          const auto row = layers[k].sub(head, token).span();
          values.insert(values.end(), row.begin(), row.end());
          if (static_cast<std::int64_t>(values.size()) < layout.unit_size()) continue;
          stats[static_cast<std::size_t>(layout.unit(layer, head, token))] =
              stats_of_unit(values, outliers_ratio);
          values.clear();
        }
      }
    }
  });
}

}  // namespace qaq
