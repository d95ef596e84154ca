#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tensor/nd_array.h"

namespace qaq {

/// Mean and covariance of the queries that a head is going to ask with, in float64.
struct QueryForecast {
  std::vector<double> mean;         ///< (D)
  NdArray<double, 2> covariance{};  ///< (D, D), divisor the number of queries
};

/// Forecasts from one head's queries from token `first` < T on, (T, D), as they enter the score:
/// turned back by their positions, then by the mean of the turns of positions T .. T + n_future
/// - 1. `rope` as of PromptView.
QueryForecast forecast_queries(const NdView<const float, 2>& query, std::int64_t first,
                               std::int64_t n_future, std::span<const double> rope);

}  // namespace qaq
