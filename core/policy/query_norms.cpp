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

NdArray<double, 2> squared_norms(const NdView<const float, 3>& query, std::int64_t n_tokens) {
  NdArray<double, 2> out({query.shape(0), n_tokens});
  for (std::int64_t head = 0; head < query.shape(0); ++head) {
    for (std::int64_t token = 0; token < n_tokens; ++token) {
      out(head, token) = squared_norm(query.sub(head, token).span());
    }
  }
  return out;
}

void norm_quantiles(const NdView<const double, 2>& norms, std::int64_t n_tokens, double quantile,
                    std::span<float> out) {
  const auto n_kv_heads = static_cast<std::int64_t>(out.size());
  assert(norms.shape(0) % n_kv_heads == 0 && norms.shape(1) >= n_tokens && n_tokens > 0);
  const std::int64_t group = norms.shape(0) / n_kv_heads;
  std::vector<double> seen;
  seen.reserve(static_cast<std::size_t>(group * n_tokens));
  for (std::int64_t kv_head = 0; kv_head < n_kv_heads; ++kv_head) {
    seen.clear();
    for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      const double* row = norms.sub(head).data();
      seen.insert(seen.end(), row, row + n_tokens);
    }
    out[static_cast<std::size_t>(kv_head)] = static_cast<float>(quantile_of(seen, quantile));
  }
}

void norm_averages(const NdView<const double, 2>& norms, std::int64_t n_tokens,
                   const NormAverage& average, std::span<float> out) {
  const auto n_kv_heads = static_cast<std::int64_t>(out.size());
  assert(norms.shape(0) % n_kv_heads == 0 && norms.shape(1) >= n_tokens && n_tokens > 0);
  const std::int64_t group = norms.shape(0) / n_kv_heads;
  for (std::int64_t kv_head = 0; kv_head < n_kv_heads; ++kv_head) {
    const auto largest = [&](std::int64_t token) {
      double x = 0;
      for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head) {
        x = std::max(x, norms(head, token));
      }
      return x;
    };
    double mean = largest(0), variance = 0;
    for (std::int64_t token = 1; token < n_tokens; ++token) {
      const double d = largest(token) - mean;
      mean += (1 - average.beta) * d;
      variance = average.beta * (variance + (1 - average.beta) * d * d);
    }
    out[static_cast<std::size_t>(kv_head)] =
        static_cast<float>(mean + average.z * std::sqrt(variance));
  }
}

void query_norms(const NdView<const double, 2>& norms, std::int64_t n_tokens,
                 const QueryNormRule& rule, std::span<float> out) {
  if (rule.average) return norm_averages(norms, n_tokens, *rule.average, out);
  norm_quantiles(norms, n_tokens, rule.quantile, out);
}

void query_norm_quantiles(const NdView<const float, 3>& query, std::int64_t n_tokens,
                          double quantile, std::span<float> out) {
  norm_quantiles(squared_norms(query, n_tokens).view(), n_tokens, quantile, out);
}

}  // namespace qaq
