#include "core/policy/query_forecast.h"

#include <algorithm>
#include <cmath>

namespace qaq {
namespace {

// What turns the pairs (i, i + rope.size()) of a row: a rotation, or a mean of rotations.
struct PairTurn {
  std::vector<double> cosine, sine;  // (rope.size())

  template <class At>
  void apply(const At& at) const {
    const std::size_t n = cosine.size();
    for (std::size_t i = 0; i < n; ++i) {
      const double a = at(i), b = at(i + n);
      at(i) = cosine[i] * a - sine[i] * b;
      at(i + n) = sine[i] * a + cosine[i] * b;
    }
  }
};

PairTurn mean_turn(std::span<const double> rope, std::int64_t first, std::int64_t n) {
  PairTurn out;
  for (const double frequency : rope) {
    double cosine = 0, sine = 0;
    for (std::int64_t position = first; position < first + n; ++position) {
      cosine += std::cos(static_cast<double>(position) * frequency);
      sine += std::sin(static_cast<double>(position) * frequency);
    }
    out.cosine.push_back(cosine / static_cast<double>(n));
    out.sine.push_back(sine / static_cast<double>(n));
  }
  return out;
}

}  // namespace

QueryForecast forecast_queries(const NdView<const float, 2>& query, std::int64_t first,
                               std::int64_t n_future, std::span<const double> rope) {
  const std::int64_t n_tokens = query.shape(0), head_dim = query.shape(1);
  const auto count = static_cast<double>(n_tokens - first);
  QueryForecast out{std::vector<double>(static_cast<std::size_t>(head_dim)),
                    NdArray<double, 2>({head_dim, head_dim})};
  NdArray<double, 2> rows({n_tokens - first, head_dim});
  for (std::int64_t token = first; token < n_tokens; ++token) {
    const auto row = rows.sub(token - first).span();
    std::copy_n(query.sub(token).data(), head_dim, row.begin());
    mean_turn(rope, -token, 1).apply([&](std::size_t i) -> double& { return row[i]; });
    for (std::size_t i = 0; i < row.size(); ++i) out.mean[i] += row[i] / count;
  }
  for (std::int64_t token = 0; token < rows.shape(0); ++token) {
    const auto row = rows.sub(token).span();
    for (std::size_t i = 0; i < row.size(); ++i) row[i] -= out.mean[i];
    for (std::int64_t i = 0; i < head_dim; ++i) {
      double* const covariance = out.covariance.sub(i).data();
      const double factor = rows(token, i) / count;
      for (std::int64_t j = 0; j < head_dim; ++j) covariance[j] += factor * rows(token, j);
    }
  }
  const PairTurn ahead = mean_turn(rope, n_tokens, n_future);
  ahead.apply([&](std::size_t i) -> double& { return out.mean[i]; });
  for (std::int64_t line = 0; line < head_dim; ++line) {
    ahead.apply([&](std::size_t i) -> double& {
      return out.covariance(line, static_cast<std::int64_t>(i));
    });
  }
  for (std::int64_t line = 0; line < head_dim; ++line) {
    ahead.apply([&](std::size_t i) -> double& {
      return out.covariance(static_cast<std::int64_t>(i), line);
    });
  }
  return out;
}

}  // namespace qaq
