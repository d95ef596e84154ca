#include "core/analysis/histogram.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <span>

#include "core/quant/unit_stats.h"

namespace qaq {

Histogram::Histogram(std::int64_t n_bins, double edge, double tail)
    : counts_(static_cast<std::size_t>(n_bins)), edge_(edge), tail_(tail) {
  assert(n_bins > 0 && edge > 0);
}

void Histogram::add(double x) {
  ++n_;
  largest_ = std::max(largest_, std::abs(x));
  if (std::abs(x) > tail_) ++n_tail_;
  const auto bin = static_cast<std::int64_t>(
      std::floor((x + edge_) / (2 * edge_) * static_cast<double>(n_bins())));
  if (bin < 0) {
    ++below_;
  } else if (bin >= n_bins()) {
    ++above_;
  } else {
    ++counts_[static_cast<std::size_t>(bin)];
  }
}

double Histogram::density(std::int64_t bin) const {
  if (n_ == 0) return 0;
  return static_cast<double>(count(bin)) / static_cast<double>(n_) / width();
}

void UnitHistograms::add(NdView<const float, 2> head) {
  for (std::int64_t token = 0; token < head.shape(0); ++token) {
    const std::span<const float> unit(&head(token, 0), static_cast<std::size_t>(head.shape(1)));
    const UnitStats stats = stats_of_unit(unit, {.method = Method::normal});
    if (!(stats.deviation > 0)) ++n_flat;
    for (const float x : unit) {
      raw.add(x);
      if (stats.deviation > 0) scaled.add((static_cast<double>(x) - stats.mean) / stats.deviation);
    }
  }
}

}  // namespace qaq
