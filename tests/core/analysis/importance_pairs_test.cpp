// What tokens were worth before and after: by hand, and against the violations that are counted.
#include "core/analysis/importance_pairs.h"

#include <gtest/gtest.h>
#include <limits>
#include <set>
#include <tuple>

#include "core/base/parallel.h"
#include "tests/support/test_captures.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

constexpr float kAbsent = Heatmap::kAbsent, kImpossible = Heatmap::kImpossible;

// One layer and head with these rows of attention.
MemoryCapture of_rows(const std::vector<std::vector<float>>& rows) {
  const auto n = static_cast<std::int64_t>(rows.size());
  const SyntheticShape shape{
      .n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = n, .head_dim = 2};
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  for (std::int64_t s = 0; s < n; ++s) {
    std::ranges::copy(rows[static_cast<std::size_t>(s)], arrays.attention[0].sub(0, s).data());
  }
  return {synthetic_info(shape), std::move(arrays)};
}

// Token 0 jumps at step 3: 0.8 after 0.1 in the two rows before.
MemoryCapture four_rows() {
  return of_rows({{1, 0, 0, 0}, {.1f, .9f, 0, 0}, {.05f, .35f, .6f, 0}, {.8f, 0, .1f, .1f}});
}

TEST(PairHistogram, ByHand) {
  const PairHistogram found = pair_histogram(four_rows(), {}, {2, 4, 1}, 5);
  EXPECT_EQ(found.window, 2);
  // Step 2: token 0, window maximum 1. Step 3: token 0 after 0.1, token 1 after 0.9.
  EXPECT_EQ(found.n_pairs, 3);
  EXPECT_EQ(found.n_violations, 1);
  EXPECT_DOUBLE_EQ(found.violation_share(), 1.0 / 3);
  EXPECT_EQ(found.bins.last_decade(), 1) << "no score exceeds 4 fair shares";
  // In fair shares: (3, 0.15), (0.4, 3.2), (3.6, 0).
  const auto at = [&](double window_max, double score) {
    return found.pairs(found.bins.index(static_cast<float>(score)),
                       found.bins.index(static_cast<float>(window_max)));
  };
  EXPECT_EQ(at(3, 0.15), 1);
  EXPECT_EQ(at(0.4f, 3.2f), 1);
  EXPECT_EQ(at(3.6, 0), 1);
  EXPECT_EQ(found.violations(found.bins.index(3.2f), found.bins.index(0.4f)), 1);
  EXPECT_EQ(found.n_below, 1) << "the score of 0";
}

TEST(PairHistogram, AxesBeginWhereThePairsBegin) {
  // Two rows of 1,000 tokens: 4.9 % of the pairs at 1.5e-6 fair shares are too few to be shown
  // where they are; 5.1 % are enough.
  for (const auto& [n_tiny, first] : {std::pair{49, -1}, std::pair{51, -6}}) {
    const SyntheticShape shape{
        .n_layers = 1, .n_heads = 1, .n_kv_heads = 1, .n_tokens = 1000, .head_dim = 2};
    CaptureInfo info = synthetic_info(shape);
    info.profile = AttentionProfile::window;
    info.query_token = {998, 999};
    MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
    NdArray<float, 3> scores({1, 2, 1000});
    for (std::int64_t t = 0; t < 998; ++t) {
      scores(0, 0, t) = scores(0, 1, t) = t < n_tiny ? 1.5e-9f : 1e-3f;
    }
    arrays.attention.clear();
    arrays.attention.push_back(std::move(scores));
    const MemoryCapture capture(std::move(info), std::move(arrays));
    const PairHistogram found = pair_histogram(capture, {}, {1, 4, 4}, 5);
    EXPECT_EQ(found.n_pairs, 999);
    EXPECT_EQ(found.bins.first_decade(), first) << n_tiny;
    EXPECT_EQ(found.pairs.shape(), (Shape<2>{found.bins.size(), found.bins.size()}));
    EXPECT_EQ(found.n_below, first == -1 ? n_tiny + 1 : 1) << "token 998 has no score at all";
    EXPECT_EQ(found.pairs(0, 0), found.n_below);
  }
}

TEST(PairHistogram, WhatLiesAboveBothLinesIsWhatIsCountedAsAViolation) {
  const auto narrative =
      narrative_capture(ReferenceFile(test_data_path("oracle/smollm2_forward_narrative.h5")));
  const MemoryCapture window = synthetic_capture({.n_tokens = 60}, 1, 20);
  for (const CaptureView* capture : {static_cast<const CaptureView*>(narrative.get()),
                                     static_cast<const CaptureView*>(&window)}) {
    for (const ViolationParams& params :
         {ViolationParams{}, ViolationParams{3, 1, 0}, ViolationParams{1, 30, 2}}) {
      const ViolationReport report = find_violations(*capture, params, 5);
      const PairHistogram found = pair_histogram(*capture, {}, params, 5);
      EXPECT_EQ(found.n_pairs, report.n_eligible);
      EXPECT_EQ(found.n_violations, std::ssize(report.violations));
      std::int64_t surely = 0, perhaps = 0, pairs = 0;
      for (int y = 0; y < found.bins.size(); ++y) {
        for (int x = 0; x < found.bins.size(); ++x) {
          const std::int64_t n = found.pairs(y, x), n_violations = found.violations(y, x);
          pairs += n;
          EXPECT_LE(n_violations, n);
          // The bin's lowest score against its highest window maximum, and the other way round.
          const double low = found.bins.edge(y), high = found.bins.edge(y + 1);
          const bool all = low > params.violation_ratio * found.bins.edge(x + 1) &&
                           low > params.violation_floor && y > 0;
          const bool some = (high > params.violation_ratio * found.bins.edge(x) || x == 0) &&
                            high > params.violation_floor;
          if (all) surely += n;
          if (some) perhaps += n;
          EXPECT_TRUE(some || n_violations == 0) << y << " " << x;
        }
      }
      EXPECT_EQ(pairs, found.n_pairs);
      EXPECT_LE(surely, found.n_violations);
      EXPECT_GE(perhaps, found.n_violations);
    }
  }
}

TEST(PairHistogram, TheWholeIsTheSumOfItsHeadsWhateverTheThreads) {
  const MemoryCapture capture = synthetic_capture({.n_layers = 3, .n_tokens = 50});
  std::int64_t n_pairs = 0, n_violations = 0;
  for (std::int64_t layer = 0; layer < 3; ++layer) {
    for (const std::int64_t head : {0, 2}) {
      const auto own = pair_histogram(capture, HeadRange{layer, head, 2}, {3, 2, 1}, 5);
      n_pairs += own.n_pairs;
      n_violations += own.n_violations;
    }
  }
  for (const int n_threads : {1, 3}) {
    set_thread_count(n_threads);
    const auto whole = pair_histogram(capture, {}, {3, 2, 1}, 5);
    EXPECT_EQ(whole.n_pairs, n_pairs);
    EXPECT_EQ(whole.n_violations, n_violations);
  }
  set_thread_count(0);
  EXPECT_GT(n_violations, 0);
}

TEST(PairHistogram, OfTooFewRowsIsEmpty) {
  const PairHistogram found = pair_histogram(four_rows(), {}, {4, 4, 4}, 5);
  EXPECT_EQ(found.n_pairs, 0);
  EXPECT_EQ(found.violation_share(), 0.0);
  const Heatmap map = histogram_map(found);
  for (std::int64_t y = 0; y < map.rows(); ++y) {
    for (std::int64_t x = 0; x < map.columns(); ++x) EXPECT_EQ(map.at(y, x), kImpossible);
  }
}

TEST(HistogramMap, HasHighScoresAtTheTopAndBlankWhereNoPairIs) {
  const PairHistogram found = pair_histogram(four_rows(), {}, {2, 4, 1}, 5);
  const Heatmap map = histogram_map(found);
  ASSERT_EQ(map.rows(), found.bins.size());
  int n = 0;
  for (std::int64_t y = 0; y < map.rows(); ++y) {
    for (std::int64_t x = 0; x < map.columns(); ++x) n += map.at(y, x) == 1.0f ? 1 : 0;
  }
  EXPECT_EQ(n, 3);
  EXPECT_EQ(map.at(map.rows() - 1 - found.bins.index(3.2f), found.bins.index(0.4f)), 1.0f);
  EXPECT_EQ(map.at(0, 0), kImpossible);
}

TEST(PairHistogramTable, HasARowForEveryBinWithPairs) {
  const PairHistogram found = pair_histogram(four_rows(), {}, {2, 4, 1}, 5);
  const Table table = pair_histogram_table(found);
  EXPECT_EQ(table.n_rows, 3);
  std::vector<std::pair<std::int64_t, std::int64_t>> counts;
  std::vector<float> score_from;
  table.for_each_row([&](std::span<const Cell> row) {
    ASSERT_EQ(row.size(), table.columns.size());
    EXPECT_LT(std::get<float>(row[0]), std::get<float>(row[1]));
    score_from.push_back(std::get<float>(row[2]));
    counts.emplace_back(std::get<std::int64_t>(row[4]), std::get<std::int64_t>(row[5]));
  });
  EXPECT_EQ(counts, (std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 0}, {1, 0}, {1, 1}}));
  EXPECT_EQ(score_from[0], 0) << "the score of 0";
  EXPECT_LT(score_from[2], 3.2f);
  EXPECT_GT(score_from[2], 3.2f / 1.26f);
}

TEST(PairMaps, ByHand) {
  const Heatmap map = pair_maps(four_rows(), {0, 0, 1}, {2, 4, 2}, 5).ratio;
  // Fair shares of at most 2 are noise: 0.05 after 1 is not (3 fair shares before), 0 after 0.9
  // is not, 0.8 after 0.1 is not.
  const std::vector<std::vector<float>> expected{
      {kImpossible, kImpossible, kImpossible, kImpossible},
      {kImpossible, kImpossible, kImpossible, kImpossible},
      {0.05f, kImpossible, kImpossible, kImpossible},
      {8.0f, 0.0f, kImpossible, kImpossible}};
  for (std::int64_t s = 0; s < 4; ++s) {
    for (std::int64_t t = 0; t < 4; ++t) {
      EXPECT_FLOAT_EQ(map.at(s, t),
                      expected[static_cast<std::size_t>(s)][static_cast<std::size_t>(t)])
          << s << " " << t;
    }
  }
  // With a floor that 3.2 fair shares do not reach but 3.6 do, the jump is noise.
  const Heatmap higher = pair_maps(four_rows(), {0, 0, 1}, {2, 4, 3.5}, 5).ratio;
  EXPECT_EQ(higher.at(3, 0), 1.0f);
  EXPECT_EQ(higher.at(3, 1), 0.0f);
}

TEST(PairMaps, AfterNothingTheRatioIsTheLargestThereIs) {
  const auto capture = of_rows({{1, 0, 0}, {0, 1, 0}, {0.5f, 0.5f, 0}});
  EXPECT_EQ(pair_maps(capture, {0, 0, 1}, {1, 4, 1}, 5).ratio.at(2, 0),
            std::numeric_limits<float>::max());
}

TEST(PairMaps, ShowsTheViolationsOfItsHeadsAndNoOthers) {
  const MemoryCapture capture = synthetic_capture({.n_layers = 2, .n_tokens = 60});
  const ViolationParams params{4, 2, 1.5};
  for (const HeadRange heads : {HeadRange{1, 2, 1}, HeadRange{0, 0, 2}, HeadRange{1, 2, 2}}) {
    const Heatmap map = pair_maps(capture, heads, params, 5).ratio;
    std::set<std::pair<int, int>> above, violations;
    for (int s = 0; s < 60; ++s) {
      for (int t = 0; t < 60; ++t) {
        const float ratio = map.at(s, t);
        if (Heatmap::is_value(ratio) && ratio > params.violation_ratio) above.insert({s, t});
      }
    }
    for (const Violation& v : strongest_jumps(find_violations(capture, params, 5), heads)) {
      violations.insert({v.step, v.token});
    }
    EXPECT_EQ(above, violations);
    EXPECT_FALSE(above.empty());
  }
}

TEST(PairMaps, GiveThePairsOfTheHeadThatCountsForMore) {
  const MemoryCapture capture = synthetic_capture({.n_layers = 1, .n_tokens = 60});
  const ViolationParams params{4, 2, 1.5};
  const PairMaps first = pair_maps(capture, {0, 2, 1}, params, 5);
  const PairMaps second = pair_maps(capture, {0, 3, 1}, params, 5);
  const PairMaps both = pair_maps(capture, {0, 2, 2}, params, 5);
  const auto scores = capture.attention(0, 0, 60);
  int n_jumps = 0, n_noise = 0;
  for (int s = 4; s < 60; ++s) {
    const double floor = 1.5 / (s + 1);
    const auto noise = [&](const PairMaps& maps, int t) {
      return maps.score(s, t) <= floor && maps.window_max(s, t) <= floor;
    };
    for (int t = 0; t < s - 3; ++t) {
      EXPECT_EQ(first.score(s, t), (*scores)(2, s, t));
      float window_max = 0;
      for (int i = 1; i <= 4; ++i) window_max = std::max(window_max, (*scores)(2, s - i, t));
      EXPECT_EQ(first.window_max(s, t), window_max);
      const bool noise_1 = noise(first, t), noise_2 = noise(second, t);
      const bool takes_second = noise_1 != noise_2
                                    ? noise_1
                                    : (noise_1 ? second.score(s, t) > first.score(s, t)
                                               : second.ratio.at(s, t) > first.ratio.at(s, t));
      const PairMaps& expected = takes_second ? second : first;
      EXPECT_EQ(both.ratio.at(s, t), expected.ratio.at(s, t)) << s << " " << t;
      EXPECT_EQ(both.score(s, t), expected.score(s, t)) << s << " " << t;
      EXPECT_EQ(both.window_max(s, t), expected.window_max(s, t)) << s << " " << t;
      n_jumps += both.ratio.at(s, t) > 2 ? 1 : 0;
      n_noise += noise_1 && noise_2 ? 1 : 0;
    }
  }
  EXPECT_GT(n_jumps, 0);
  EXPECT_GT(n_noise, 0);
}

TEST(PairMaps, RowsThatWereNotCapturedAreAbsent) {
  const SyntheticShape shape{.n_layers = 1, .n_tokens = 30};
  CaptureInfo info = synthetic_info(shape);
  info.profile = AttentionProfile::derive;
  info.query_token = {5, 6, 7, 20, 21, 22};
  MemoryCapture::Arrays arrays = synthetic_arrays(shape, 1);
  arrays.attention.clear();
  const MemoryCapture capture(std::move(info), std::move(arrays));
  const Heatmap map = pair_maps(capture, {0, 0, 1}, {2, 4, 4}, 5).ratio;
  for (std::int64_t s = 0; s < 30; ++s) {
    for (std::int64_t t = 0; t < 30; ++t) {
      const bool is_value = Heatmap::is_value(map.at(s, t));
      EXPECT_EQ(is_value, (s == 7 || s == 22) && t < s - 1) << s << " " << t;
      if (is_value) continue;
      EXPECT_EQ(map.at(s, t), t < s - 1 ? kAbsent : kImpossible);
    }
  }
}

TEST(StrongestJumps, AreByRatioThenByScore) {
  ViolationReport report;
  report.violations = {{0, 0, 9, 1, 0.5f, 0.1f}, {0, 1, 9, 1, 0.6f, 0},
                       {1, 1, 9, 2, 0.7f, 0},    {0, 1, 9, 3, 0.9f, 0.1f},
                       {0, 2, 9, 3, 0.9f, 0.1f}, {0, 2, 9, 4, 0.2f, 0.1f}};
  const auto order = [&](const std::optional<HeadRange>& heads) {
    std::vector<std::tuple<int, int, int>> out;
    for (const Violation& v : strongest_jumps(report, heads)) {
      out.emplace_back(v.layer, v.head, v.token);
    }
    return out;
  };
  using Order = std::vector<std::tuple<int, int, int>>;
  EXPECT_EQ(order({}), (Order{{1, 1, 2}, {0, 1, 1}, {0, 1, 3}, {0, 2, 3}, {0, 0, 1}, {0, 2, 4}}));
  EXPECT_EQ(order(HeadRange{0, 1, 2}), (Order{{0, 1, 1}, {0, 1, 3}, {0, 2, 3}, {0, 2, 4}}));
}

}  // namespace
}  // namespace qaq::test
