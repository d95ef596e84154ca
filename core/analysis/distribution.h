#pragma once

#include <cstdint>
#include <vector>

#include "core/analysis/histogram.h"
#include "core/analysis/table.h"
#include "core/analysis/value_ranks.h"
#include "core/base/parameters.h"
#include "core/base/progress.h"
#include "core/policy/qaq_params.h"
#include "core/replay/capture_view.h"
#include "core/replay/replay_result.h"

namespace qaq {

/// How much of a capture is looked at.
enum class DistributionScope { head, layer, capture };
template <>
struct ChoiceNames<DistributionScope> {
  static constexpr std::array<std::string_view, 3> names{"head", "layer", "capture"};
};

struct DistributionPlace {
  DistributionScope scope = DistributionScope::head;
  std::int64_t layer = 0;    ///< index among the captured layers; of no meaning for a capture
  std::int64_t kv_head = 0;  ///< of a head alone
  std::int64_t prefix = 0;   ///< tokens that count, from the first on: 1 .. T

  friend bool operator==(const DistributionPlace&, const DistributionPlace&) = default;
};

/// What one channel of a head holds over the tokens: its ends and quantiles.
struct ChannelRange {
  double least = 0, p1 = 0, median = 0, p99 = 0, most = 0;
};
/// (n_tokens, head_dim): a range each channel. Quantiles are interpolated between neighbours.
std::vector<ChannelRange> channel_ranges(NdView<const float, 2> head);

/// Between which numbers a share of outliers leaves the rest.
struct OutlierCut {
  double low = 0, high = 0;
};

/// The numbers of one cache.
struct ValueDistribution {
  UnitHistograms histograms;  ///< `raw` from minus to plus the largest magnitude
  ValueRanks ranks{};
  double mean = 0;
  double deviation = 0;                  ///< of the numbers about their mean, divisor n
  std::vector<ChannelRange> channels{};  ///< of a head; none where more is looked at

  /// Where `ratio` cuts these numbers, by the ranks that a unit of them would be cut by: x is
  /// outside where x <= low or x > high. The ends for a ratio of 0, or one that leaves nothing.
  OutlierCut cut(double ratio) const;
  /// The ratio that cuts at x, by the numbers beyond it on its side of the median.
  double ratio_at(double x) const;
};

struct Distributions {
  DistributionPlace place;
  ValueDistribution key, value;

  const ValueDistribution& of(CacheSide side) const { return side == CacheSide::key ? key : value; }
};

/// Throws Error{interrupted} when stopped.
Distributions distributions(const CaptureView& capture, const DistributionPlace& place,
                            const Work& work = {});

/// Share of the place's numbers that a replay of the same prefix kept exactly: each unit is cut at
/// its own ranks.
double share_kept(const CacheReplay& cache, const DistributionPlace& place);

/// The histograms' bins, as they are and in standard deviations of a unit.
Table distribution_table(const Distributions& all);
/// A row a channel of keys and of values; of a head.
Table channel_table(const Distributions& all);

}  // namespace qaq
