#include "core/analysis/pareto_front.h"

#include <cmath>

namespace qaq {

std::vector<bool> pareto_front(std::span<const Tradeoff> points) {
  std::vector<bool> out;
  for (const Tradeoff& point : points) {
    bool beaten = false;
    for (const Tradeoff& other : points) {
      beaten = beaten || (other.ratio >= point.ratio && other.loss <= point.loss &&
                          (other.ratio > point.ratio || other.loss < point.loss));
    }
    out.push_back(!beaten);
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
