#include "core/evaluate/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace qaq {
namespace {

constexpr double kZ = 1.96;  // of 95 %, as the authors round it

}  // namespace

Interval wilson_interval(std::int64_t n_right, std::int64_t n) {
  if (n == 0) return {0, 1};
  const double total = static_cast<double>(n), share = static_cast<double>(n_right) / total;
  const double z2 = kZ * kZ / total;
  const double middle = share + z2 / 2;
  const double half = kZ * std::sqrt(share * (1 - share) / total + z2 / (4 * total));
  return {std::max(0.0, (middle - half) / (1 + z2)), std::min(1.0, (middle + half) / (1 + z2))};
}

double normal_half_interval(double accuracy, std::int64_t n) {
  if (n == 0) return 0;
  return kZ * std::sqrt(accuracy * (1 - accuracy) / static_cast<double>(n));
}

double mcnemar_p(std::int64_t only_first, std::int64_t only_second) {
  const std::int64_t n = only_first + only_second, less = std::min(only_first, only_second);
  if (n == 0) return 1;
  // Twice the binomial tail up to `less`; logarithms, because 2^-n underflows.
  double tail = 0;
  double log_term = -static_cast<double>(n) * std::log(2.0);  // C(n, k) / 2^n for k = 0
  for (std::int64_t k = 0; k <= less; ++k) {
    tail += std::exp(log_term);
    log_term += std::log(static_cast<double>(n - k)) - std::log(static_cast<double>(k + 1));
  }
  return std::min(1.0, 2 * tail);
}

Interval bootstrap_mean_interval(std::span<const double> values) {
  constexpr std::size_t kSamples = 4000;
  constexpr std::uint32_t kSeed = 1;
  if (values.empty()) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    return {none, none};
  }
  const std::size_t n = values.size();
  std::mt19937 random(kSeed);
  std::vector<double> means(kSamples);
  for (double& mean : means) {
    // No std::uniform_int_distribution: its numbers differ between libraries. The scaled product
    // favours no index by more than n / 2^32.
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) sum += values[(std::uint64_t{random()} * n) >> 32];
    mean = sum / static_cast<double>(n);
  }
  std::sort(means.begin(), means.end());
  return {quantile(means, 0.025), quantile(means, 0.975)};
}

double quantile(std::span<const double> ascending, double q) {
  if (ascending.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double at = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  return ascending[below] +
         (at - static_cast<double>(below)) * (ascending[above] - ascending[below]);
}

}  // namespace qaq
