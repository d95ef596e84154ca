#include "core/policy/token_pooling.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace qaq {

std::vector<double> pooled(std::span<const double> numbers, std::int64_t kernel_size,
                           Pooling pooling) {
  assert(kernel_size % 2 == 1);
  const std::int64_t reach = kernel_size / 2, n = std::ssize(numbers);
  std::vector<double> out;
  out.reserve(numbers.size());
  for (std::int64_t i = 0; i < n; ++i) {
    const auto first = numbers.begin() + std::max<std::int64_t>(0, i - reach);
    const auto end = numbers.begin() + std::min(n, i + reach + 1);
    out.push_back(pooling == Pooling::maxpool
                      ? *std::max_element(first, end)
                      : std::accumulate(first, end, 0.0) / static_cast<double>(kernel_size));
  }
  return out;
}

}  // namespace qaq
