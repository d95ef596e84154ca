#include "core/quant/unit_stats.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <vector>

#include "core/quant/arith.h"
#include "core/quant/row_kernels.h"
#include "core/quant/select_ranks.h"
#include "core/quant/sigma_cut.h"

namespace qaq {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void set_thresholds(std::span<const float> values, double ratio, UnitStats& stats) {
  if (ratio == 0) {
    stats.low = -kInfinity;
    stats.high = kInfinity;
    return;
  }
  const auto n = static_cast<std::int64_t>(values.size());
  const std::int64_t low_rank = k_low(ratio, n), high_rank = k_high(ratio, n);
  if (high_rank <= low_rank) {
    // The ranks meet or cross: all values are outliers.
    stats.low = stats.high = kInfinity;
    return;
  }
  const RankValues thresholds = select_ranks(values, low_rank, high_rank);
  stats.low = thresholds.low;
  stats.high = thresholds.high;
}

void set_extent(const InlierExtent& inliers, UnitStats& stats) {
  stats.n_inliers = static_cast<std::int32_t>(inliers.count);
  if (inliers.count == 0) return;
  stats.min = inliers.min;
  stats.max = inliers.max;
  stats.mean = static_cast<float>(inliers.sum / static_cast<double>(inliers.count));
}

// The values that are no outliers, where thresholds alone do not tell them apart.
std::vector<float> inliers_of(std::span<const float> values, const UnitStats& stats) {
  std::vector<float> out;
  out.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!stats.is_outlier(values[i], static_cast<std::int64_t>(i))) out.push_back(values[i]);
  }
  return out;
}

}  // namespace

UnitStats stats_of_unit(std::span<const float> values, const QuantizerSpec& spec) {
  UnitStats stats;
  if (spec.outlier_rule == OutlierRule::nsigma) {
    set_sigma_cut(values, spec, stats);
  } else {
    set_thresholds(values, spec.outliers_ratio, stats);
  }
  std::vector<float> untied;
  if (stats.has_ties()) {
    untied = inliers_of(values, stats);
    values = untied;
  }
  const InlierExtent inliers = inlier_extent(values, stats.low, stats.high);
  set_extent(inliers, stats);
  if (inliers.count > 1 && spec.method == Method::normal) {
    const double mean = inliers.sum / static_cast<double>(inliers.count);
    const double squares = inlier_squares(values, stats.low, stats.high, mean);
    stats.deviation = static_cast<float>(std::sqrt(squares / (stats.n_inliers - 1)));
  }
  return stats;
}

void fill_unit_stats(const UnitLayout& layout, const QuantizerSpec& spec, std::int64_t first_layer,
                     std::span<const CacheLayer> layers, std::span<UnitStats> stats) {
  assert(static_cast<std::int64_t>(stats.size()) == layout.n_units());
  assert(layout.level() != Level::token ||
         static_cast<std::int64_t>(layers.size()) == layout.shape().n_layers);
  const bool extent_is_all = !spec.may_have_outliers() && spec.method == Method::uniform &&
                             is_row_size(layout.shape().head_dim);
  if (!extent_is_all) {
    for_each_unit(layout, first_layer, layers,
                  [&](std::size_t unit, std::span<const float> values) {
                    stats[unit] = stats_of_unit(values, spec);
                  });
    return;
  }
  for_each_tile(layout, first_layer, layers, [&](const UnitTile& tile) {
    std::array<InlierExtent, kTileTokens> space;
    const std::span extents(space.data(), static_cast<std::size_t>(tile.n_tokens));
    row_extents(tile.rows, static_cast<std::size_t>(tile.row_size), extents);
    for (std::int64_t i = 0; i < tile.n_tokens; ++i) {
      UnitStats unit{.low = -kInfinity, .high = kInfinity};
      set_extent(extents[static_cast<std::size_t>(i)], unit);
      stats[tile.unit(i)] = unit;
    }
  });
}

}  // namespace qaq
