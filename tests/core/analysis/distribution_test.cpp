// Histograms, ranks and ranges against sums done by hand and against sorting.
#include "core/analysis/distribution.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

#include "core/base/error.h"
#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

TEST(Histogram, CountsByHand) {
  Histogram h(4, 2, 1);  // -2 -1 0 1 2
  for (const double x : {-3., -2., -1.5, -1., 0., .5, .5, 1.5, 2., 7.}) h.add(x);
  EXPECT_EQ(h.counts(), (std::vector<std::int64_t>{2, 1, 3, 1}));
  EXPECT_EQ(h.n(), 10);
  EXPECT_EQ(h.n_below(), 1);
  EXPECT_EQ(h.n_above(), 2) << "the edge itself lies beyond";
  EXPECT_EQ(h.n_tail(), 6) << "above 1 in magnitude";
  EXPECT_EQ(h.largest(), 7);
  EXPECT_EQ(h.width(), 1);
  EXPECT_EQ(h.centre(0), -1.5);
  EXPECT_EQ(h.centre(3), 1.5);
  EXPECT_DOUBLE_EQ(h.density(2), .3);
}

TEST(UnitHistograms, ScaleByTheUnitsOwnSpread) {
  // Means 2 and 5; deviations 2 and none.
  NdArray<float, 2> head({2, 3});
  std::ranges::copy(std::vector<float>{0, 2, 4, 5, 5, 5}, head.data());
  UnitHistograms both{.raw = {10, 10, 2}, .scaled = {6, 1.5, 2}};
  both.add(head.view());
  EXPECT_EQ(both.raw.n(), 6);
  EXPECT_EQ(both.raw.counts(), (std::vector<std::int64_t>{0, 0, 0, 0, 0, 1, 1, 4, 0, 0}));
  EXPECT_EQ(both.n_flat, 1);
  EXPECT_EQ(both.scaled.n(), 3);
  EXPECT_EQ(both.scaled.counts(), (std::vector<std::int64_t>{0, 1, 0, 1, 0, 1}))
      << "-1, 0 and 1 stand at the beginning of their bins";
}

ValueRanks ranks_of(const std::vector<float>& values) {
  ValueRanks::Counter counter;
  for (const float x : values) counter.add(x);
  return counter.finish();
}

TEST(ValueRanks, AreExactWhereFewNumbersLie) {
  const ValueRanks ranks = ranks_of({3, -1, 0, 2, -7, 3, 1e-30f, -1e-30f});
  EXPECT_EQ(ranks.n(), 8);
  const std::vector<float> sorted{-7, -1, -1e-30f, 0, 1e-30f, 2, 3, 3};
  for (std::int64_t rank = 1; rank <= 8; ++rank) {
    EXPECT_EQ(ranks.at(rank), sorted[static_cast<std::size_t>(rank - 1)]);
  }
  EXPECT_EQ(ranks.n_up_to(-8), 0);
  EXPECT_EQ(ranks.n_up_to(-7), 1);
  EXPECT_EQ(ranks.n_up_to(0), 4);
  EXPECT_EQ(ranks.n_up_to(2.9), 6);
  EXPECT_EQ(ranks.n_up_to(1e9), 8);
}

TEST(ValueRanks, AreWhatSortingGives) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> values(20000);
  for (float& x : values) x = normal(random) * (random() % 30 == 0 ? 20.f : 1.f);
  const ValueRanks ranks = ranks_of(values);
  std::ranges::sort(values);
  EXPECT_EQ(ranks.at(1), values.front());
  EXPECT_EQ(ranks.at(20000), values.back());
  for (std::int64_t rank = 1; rank <= 20000; rank += 37) {
    const float right = values[static_cast<std::size_t>(rank - 1)];
    EXPECT_NEAR(ranks.at(rank), right, std::abs(right) / 2048);
    const auto up_to = std::ranges::upper_bound(values, right) - values.begin();
    EXPECT_NEAR(static_cast<double>(ranks.n_up_to(right)), static_cast<double>(up_to), 30);
  }
}

TEST(ChannelRanges, AreThoseOfSortedColumns) {
  // Channel 0 holds 0 .. 100 in a shuffled order, channel 1 always 4.
  NdArray<float, 2> head({101, 2});
  for (std::int64_t t = 0; t < 101; ++t) {
    head(t, 0) = static_cast<float>(t * 37 % 101);
    head(t, 1) = 4;
  }
  const auto ranges = channel_ranges(head.view());
  ASSERT_EQ(ranges.size(), 2u);
  EXPECT_EQ(ranges[0].least, 0);
  EXPECT_DOUBLE_EQ(ranges[0].p1, 1);
  EXPECT_EQ(ranges[0].median, 50);
  EXPECT_DOUBLE_EQ(ranges[0].p99, 99);
  EXPECT_EQ(ranges[0].most, 100);
  EXPECT_EQ(ranges[1].p1, 4);
  EXPECT_EQ(ranges[1].most, 4);
}

class OfACapture : public testing::TestWithParam<DistributionScope> {};
INSTANTIATE_TEST_SUITE_P(Scopes, OfACapture,
                         testing::Values(DistributionScope::head, DistributionScope::layer,
                                         DistributionScope::capture));

TEST_P(OfACapture, EveryNumberOfThePlaceCountsOnce) {
  const MemoryCapture capture = synthetic_capture();
  const DistributionPlace place{.scope = GetParam(), .layer = 1, .kv_head = 1, .prefix = 15};
  const Distributions found = distributions(capture, place);
  for (const CacheSide side : {CacheSide::key, CacheSide::value}) {
    std::vector<float> all;
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      if (layer != 1 && place.scope != DistributionScope::capture) continue;
      const auto values = side == CacheSide::key ? capture.key(layer) : capture.value(layer);
      for (std::int64_t head = 0; head < 2; ++head) {
        if (head != 1 && place.scope == DistributionScope::head) continue;
        const auto tokens = values->sub(head).span().first(15 * 8);
        all.insert(all.end(), tokens.begin(), tokens.end());
      }
    }
    const ValueDistribution& d = found.of(side);
    const auto n = static_cast<double>(all.size());
    double sum = 0, squares = 0, largest = 0;
    for (const double x : all) sum += x;
    for (const double x : all) squares += (x - sum / n) * (x - sum / n);
    for (const double x : all) largest = std::max(largest, std::abs(x));
    EXPECT_NEAR(d.mean, sum / n, 1e-12);
    EXPECT_NEAR(d.deviation, std::sqrt(squares / n), 1e-12);
    const Histogram& raw = d.histograms.raw;
    EXPECT_EQ(raw.n(), std::ssize(all));
    EXPECT_EQ(raw.n_below() + raw.n_above(), 0) << "no tail is cut";
    EXPECT_EQ(raw.largest(), largest);
    double integral = 0;
    for (std::int64_t bin = 0; bin < raw.n_bins(); ++bin) {
      const double low = raw.centre(bin) - raw.width() / 2, high = low + raw.width();
      const auto inside =
          std::ranges::count_if(all, [&](double x) { return x >= low + 1e-9 && x < high - 1e-9; });
      EXPECT_NEAR(static_cast<double>(raw.count(bin)), static_cast<double>(inside), 1);
      integral += raw.density(bin) * raw.width();
    }
    EXPECT_NEAR(integral, 1, 1e-12);
    EXPECT_EQ(d.channels.size(), place.scope == DistributionScope::head ? 8u : 0u);
    EXPECT_EQ(d.histograms.scaled.n(), raw.n());
  }
}

TEST(OutlierCut, IsWhereTheRanksAreAndBack) {
  ValueRanks::Counter counter;
  for (int i = 0; i < 200; ++i) counter.add(static_cast<float>(i - 100));  // -100 .. 99
  const ValueDistribution d{.histograms = {.raw = {4, 100, 2}, .scaled = {4, 8, 2}},
                            .ranks = counter.finish()};
  const OutlierCut two = d.cut(0.02);  // the 2nd and the 198th
  EXPECT_EQ(two.low, -99);
  EXPECT_EQ(two.high, 97);
  EXPECT_DOUBLE_EQ(d.ratio_at(two.high), 0.02) << "98 and 99 lie above";
  EXPECT_DOUBLE_EQ(d.ratio_at(two.low), 0.02) << "-100 and -99 do not";
  EXPECT_DOUBLE_EQ(d.ratio_at(49), 0.5);
  EXPECT_EQ(d.ratio_at(99), 0);
  EXPECT_EQ(d.ratio_at(-100.5), 0);
  for (const double none : {0.0, 0.999}) {
    EXPECT_EQ(d.cut(none).low, -100);
    EXPECT_EQ(d.cut(none).high, 99);
  }
}

TEST(ShareKept, IsWhatTheReplayCounted) {
  const MemoryCapture capture = synthetic_capture();
  ReplayOptions options;
  options.prefix = 15;
  options.params.value.outliers_ratio = 0.3;
  const auto result = replay(capture, options);
  DistributionPlace place{.scope = DistributionScope::capture, .prefix = 15};
  EXPECT_DOUBLE_EQ(
      share_kept(result->value, place),
      static_cast<double>(result->value.n_outliers) / static_cast<double>(result->value.n_values));
  // 30 % of 8 values, at level head: the two smallest and the two above the 6th.
  place.scope = DistributionScope::head;
  EXPECT_DOUBLE_EQ(share_kept(result->value, place), 0.5);
}

TEST(Distribution, TablesHaveEveryBinAndChannel) {
  const Distributions all = distributions(
      synthetic_capture(), {.scope = DistributionScope::head, .layer = 0, .prefix = 24});
  std::int64_t n = 0;
  distribution_table(all).for_each_row(
      [&](std::span<const Cell> row) { n += std::get<std::int64_t>(row[4]); });
  EXPECT_EQ(n, 2 * 2 * 24 * 8) << "raw and scaled";
  EXPECT_EQ(channel_table(all).n_rows, 16);
}

TEST(Distribution, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(distributions(synthetic_capture(), {.prefix = 24}, Work(nullptr, stop.get_token())),
               Error);
}

}  // namespace
}  // namespace qaq::test
