#include "core/policy/query_forecast.h"

#include <cmath>
#include <gtest/gtest.h>
#include <numbers>

namespace qaq {
namespace {

// Four queries of four channels.
NdArray<float, 2> queries() {
  NdArray<float, 2> out({4, 4});
  const std::vector<float> numbers{9, 9, 9, 9, 1, 2, 3, 4, 3, 2, 1, 0, 2, 2, -4, 2};
  std::copy(numbers.begin(), numbers.end(), out.data());
  return out;
}

TEST(QueryForecast, WithoutRopeIsMeanAndCovariance) {
  const auto q = queries();
  const QueryForecast forecast = forecast_queries(q.view(), 1, 8, {});
  EXPECT_EQ(forecast.mean, (std::vector<double>{2, 2, 0, 2}));
  const std::vector<double> covariance{2, 0, -2, -4, 0, 0, 0, 0, -2, 0, 26, 4, -4, 0, 4, 8};
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_NEAR(forecast.covariance.span()[i] * 3, covariance[i], 1e-12) << i;
  }
}

TEST(QueryForecast, TurnsBackAndAhead) {
  // Both pairs turn by a quarter a position: position 1 turned (a, b) to (-b, a), so it is undone.
  NdArray<float, 2> q({2, 4});
  const std::vector<float> numbers{5, 6, 7, 8, 1, 2, 3, 4};
  std::copy(numbers.begin(), numbers.end(), q.data());
  const std::vector<double> quarter(2, std::numbers::pi / 2);
  // The next position, 2, is half a turn.
  const QueryForecast one = forecast_queries(q.view(), 1, 1, quarter);
  const std::vector<double> half_turned{-3, -4, 1, 2};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(one.mean[i], half_turned[i], 1e-12);
  // Four positions are a whole turn, whose mean is nothing.
  const QueryForecast four = forecast_queries(q.view(), 0, 4, quarter);
  for (const double x : four.mean) EXPECT_NEAR(x, 0, 1e-12);
  for (const double x : four.covariance.span()) EXPECT_NEAR(x, 0, 1e-12);
}

TEST(QueryForecast, ChannelsBehindThePairsStay) {
  const auto q = queries();
  const std::vector<double> one_pair{std::numbers::pi};  // channels 0 and 1, half a turn a position
  const QueryForecast forecast = forecast_queries(q.view(), 1, 1, one_pair);
  // (-1 + 3 - 2) / 3 and (-2 + 2 - 2) / 3; position 4 is whole turns.
  const std::vector<double> mean{0, -2.0 / 3, 0, 2};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(forecast.mean[i], mean[i], 1e-12);
}

}  // namespace
}  // namespace qaq
