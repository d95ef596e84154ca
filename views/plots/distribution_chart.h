#pragma once

#include <QString>

#include "core/analysis/chart.h"
#include "core/analysis/distribution.h"

namespace qaq::views {

/// What stands beside a distribution of one cache.
struct DistributionFacts {
  double ratio = 0;  ///< outliers asked for; no cut where the cache is left exact
  bool isExact = false;
  bool hasCut = true;  ///< ranks tell outliers; else something else does, or there are none
  std::optional<double> kept{};  ///< share that was kept exactly; nothing: not known yet
};

/// Panels in this order: keys, values, their tails, ranges of the channels of `side`.
inline constexpr int kKeyPanel = 0, kValuePanel = 1, kTailPanel = 2, kChannelPanel = 3;
/// `place` is what is looked at, in words.
Chart distributionChart(const Distributions& all, CacheSide side, const QString& place);
/// "σ 2.31, largest |x| 14.2, kept exactly 1.6 % (asked 1 %)".
QString distributionText(const ValueDistribution& distribution, const DistributionFacts& facts);

}  // namespace qaq::views
