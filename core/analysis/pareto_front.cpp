#include "core/analysis/pareto_front.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace qaq {

std::vector<bool> pareto_front(std::span<const Tradeoff> points) {
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return points[a].ratio != points[b].ratio ? points[a].ratio > points[b].ratio
                                              : points[a].loss < points[b].loss;
  });
  std::vector<bool> out(points.size(), false);
  double least = std::numeric_limits<double>::infinity();  // of larger ratios
  for (std::size_t i = 0; i < order.size();) {
    const Tradeoff best = points[order[i]];
    for (; i < order.size() && points[order[i]].ratio == best.ratio; ++i) {
      out[order[i]] = points[order[i]].loss == best.loss && best.loss < least;
    }
    least = std::min(least, best.loss);
  }
  return out;
}

std::optional<double> loss_at(std::span<const Tradeoff> points, double ratio) {
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    const Tradeoff &low = points[i], &high = points[i + 1];
    if (ratio < low.ratio || ratio > high.ratio) continue;
    if (!(low.loss > 0) || !(high.loss > 0)) return {};
    if (low.ratio == high.ratio) return low.loss;
    const double share = (1 / low.ratio - 1 / ratio) / (1 / low.ratio - 1 / high.ratio);
    return std::exp((1 - share) * std::log(low.loss) + share * std::log(high.loss));
  }
  return {};
}

}  // namespace qaq
