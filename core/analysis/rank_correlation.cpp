#include "core/analysis/rank_correlation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace qaq {

std::vector<double> average_ranks(std::span<const double> numbers) {
  std::vector<std::size_t> order(numbers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return numbers[i]; });
  std::vector<double> out(numbers.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first;
    while (end < order.size() && numbers[order[end]] == numbers[order[first]]) ++end;
    // Ranks first + 1 .. end.
    const double rank = static_cast<double>(first + 1 + end) / 2;
    for (; first < end; ++first) out[order[first]] = rank;
  }
  return out;
}

std::optional<RankCorrelation> rank_correlation(std::span<const double> a,
                                                std::span<const double> b) {
  constexpr double kZ = 1.96;  // of 95 %
  assert(a.size() == b.size());
  std::vector<double> of_a, of_b;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i]) || !std::isfinite(b[i])) continue;
    of_a.push_back(a[i]);
    of_b.push_back(b[i]);
  }
  const std::vector<double> ranks_a = average_ranks(of_a), ranks_b = average_ranks(of_b);
  const double n = static_cast<double>(ranks_a.size()), mean = (n + 1) / 2;
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < ranks_a.size(); ++i) {
    ab += (ranks_a[i] - mean) * (ranks_b[i] - mean);
    aa += (ranks_a[i] - mean) * (ranks_a[i] - mean);
    bb += (ranks_b[i] - mean) * (ranks_b[i] - mean);
  }
  if (aa == 0 || bb == 0) return {};
  RankCorrelation out{.rho = std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0),
                      .n = std::ssize(ranks_a),
                      .interval = {-1, 1}};
  if (out.n < kLeastRanked) return out;
  const double half = kZ * std::sqrt((1 + out.rho * out.rho / 2) / (n - 3));
  out.interval = {std::tanh(std::atanh(out.rho) - half), std::tanh(std::atanh(out.rho) + half)};
  return out;
}

}  // namespace qaq
