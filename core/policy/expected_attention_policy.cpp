#include "core/policy/expected_attention_policy.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/parallel.h"
#include "core/policy/attention_sums.h"
#include "core/policy/query_forecast.h"
#include "core/policy/query_norms.h"

namespace qaq {
namespace {

// The logarithm of E[exp(q k / sqrt(D))] for a normally distributed q.
double expected_logit(const QueryForecast& query, std::span<const float> key) {
  double linear = 0, quadratic = 0;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const double* const line = query.covariance.sub(static_cast<std::int64_t>(i)).data();
    double product = 0;
    for (std::size_t j = 0; j < key.size(); ++j) product += line[j] * static_cast<double>(key[j]);
    linear += query.mean[i] * static_cast<double>(key[i]);
    quadratic += product * static_cast<double>(key[i]);
  }
  const auto head_dim = static_cast<double>(key.size());
  return linear / std::sqrt(head_dim) + quadratic / (2 * head_dim);
}

void softmax_in_double(std::span<double> row) {
  const double most = *std::ranges::max_element(row);
  double sum = 0;
  for (double& x : row) sum += x = std::exp(x - most);
  for (double& x : row) x /= sum;
}

}  // namespace

void ExpectedAttentionScore::score(const PromptView& view, const NdView<double, 2>& out) const {
  std::ranges::fill(out.span(), std::numeric_limits<double>::infinity());
  const std::int64_t n_sink = params_.n_sink, n_others = out.shape(1) - n_sink;
  if (n_others <= 0) return;
  NdArray<double, 2> of_heads({view.n_heads, n_others});
  parallel_for(view.n_heads, [&](std::int64_t head) {
    const QueryForecast query =
        forecast_queries(view.query.sub(head), n_sink, params_.n_future_positions, view.rope);
    const auto keys = view.key.sub(head * out.shape(0) / view.n_heads);
    const auto row = of_heads.sub(head).span();
    for (std::int64_t i = 0; i < n_others; ++i) {
      row[static_cast<std::size_t>(i)] = expected_logit(query, keys.sub(n_sink + i).span());
    }
    softmax_in_double(row);
  });
  const auto expected = reduce_groups(of_heads.view(), GqaReduce::mean, out.shape(0));
  for (std::int64_t head = 0; head < out.shape(0); ++head) {
    for (std::int64_t i = 0; i < n_others; ++i) {
      const double norm = std::sqrt(squared_norm(view.value.sub(head, n_sink + i).span()));
      out(head, n_sink + i) = (expected(head, i) + params_.epsilon) * norm;
    }
  }
}

}  // namespace qaq
