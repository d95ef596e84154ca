#include "core/quant/sigma_cut.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/quant/row_kernels.h"

namespace qaq {
namespace {

constexpr float kNoLimit = std::numeric_limits<float>::infinity();

// A value beyond the limit.
struct FarValue {
  double distance = 0;  // from the mean
  std::int64_t place = 0;
};

bool is_kept_first(const FarValue& a, const FarValue& b) {
  return a.distance != b.distance ? a.distance > b.distance : a.place < b.place;
}

// Thresholds as UnitStats has them of the values for which is_far(distance).
struct Cut {
  float low = -kNoLimit;
  float high = kNoLimit;
};
template <class IsFar>
Cut cut_where(std::span<const float> values, double mean, const IsFar& is_far) {
  Cut out;
  float largest_inside = -kNoLimit;
  bool any_above = false;
  for (const float x : values) {
    const double distance = std::abs(x - mean);
    if (x < mean && is_far(distance)) {
      out.low = std::max(out.low, x);
    } else if (x > mean && is_far(distance)) {
      any_above = true;
    } else {
      largest_inside = std::max(largest_inside, x);
    }
  }
  // Where all values are far there is none in between.
  if (any_above) out.high = std::max(largest_inside, out.low);
  return out;
}

}  // namespace

void set_sigma_cut(std::span<const float> values, const QuantizerSpec& spec, UnitStats& stats) {
  stats.low = -kNoLimit;
  stats.high = kNoLimit;
  const auto n = static_cast<double>(values.size());
  const auto most = static_cast<std::size_t>(spec.max_outliers * n);
  if (most == 0) return;
  const double mean = inlier_extent(values, -kNoLimit, kNoLimit).sum / n;
  const double sigma = std::sqrt(inlier_squares(values, -kNoLimit, kNoLimit, mean) / n);
  const double limit = spec.n_sigma * sigma;
  std::vector<FarValue> far;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double distance = std::abs(values[i] - mean);
    if (distance > limit) far.push_back({distance, static_cast<std::int64_t>(i)});
  }
  if (far.empty()) return;
  if (far.size() <= most) {
    const Cut cut = cut_where(values, mean, [&](double d) { return d > limit; });
    stats.low = cut.low;
    stats.high = cut.high;
    return;
  }
  const auto last = far.begin() + static_cast<std::ptrdiff_t>(most) - 1;
  std::nth_element(far.begin(), last, far.end(), is_kept_first);
  const FarValue end = *last;
  const Cut with_ties = cut_where(values, mean, [&](double d) { return d >= end.distance; });
  const bool divides = std::any_of(last + 1, far.end(),
                                   [&](const FarValue& v) { return v.distance == end.distance; });
  const Cut cut =
      divides ? cut_where(values, mean, [&](double d) { return d > end.distance; }) : with_ties;
  stats.low = cut.low;
  stats.high = cut.high;
  if (!divides) return;
  stats.last_tied = static_cast<std::int32_t>(end.place);
  stats.tied_low = with_ties.low;
  stats.tied_high = with_ties.high;
}

}  // namespace qaq
