#include "core/policy/query_norms.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace qaq {
namespace {

// Of unsorted numbers, at least one; reorders them.
double quantile_of(std::vector<double>& numbers, double quantile) {
  const double at = quantile * static_cast<double>(numbers.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(std::floor(at));
  const auto nth = numbers.begin() + below;
  std::nth_element(numbers.begin(), nth, numbers.end());
  if (nth + 1 == numbers.end()) return *nth;
  const double next = *std::min_element(nth + 1, numbers.end());
  return *nth + (at - std::floor(at)) * (next - *nth);
}

}  // namespace

double squared_norm(std::span<const float> query) {
  double sum = 0;
  for (const float x : query) sum += static_cast<double>(x) * x;
  return sum;
}

void query_norm_quantiles(const NdView<const float, 3>& query, std::int64_t n_tokens,
                          double quantile, std::span<float> out) {
  const auto n_kv_heads = static_cast<std::int64_t>(out.size());
  assert(query.shape(0) % n_kv_heads == 0 && query.shape(1) >= n_tokens && n_tokens > 0);
  const std::int64_t group = query.shape(0) / n_kv_heads;
  std::vector<double> norms;
  norms.reserve(static_cast<std::size_t>(group * n_tokens));
  for (std::int64_t kv_head = 0; kv_head < n_kv_heads; ++kv_head) {
    norms.clear();
    for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      for (std::int64_t token = 0; token < n_tokens; ++token) {
        norms.push_back(squared_norm(query.sub(head, token).span()));
      }
    }
    out[static_cast<std::size_t>(kv_head)] = static_cast<float>(quantile_of(norms, quantile));
  }
}

}  // namespace qaq
