// Windows that follow violations of persistence: by hand, and against the definition.
#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

#include "core/policy/running_importance.h"

namespace qaq::test {
namespace {

using Row = std::vector<float>;

// One head's window after each row.
std::vector<int> windows(const std::vector<Row>& rows, const AdaptiveWindow& rule,
                         std::int64_t first) {
  RunningImportance running({.n_rows = first, .adaptive = rule},
                            {1, 1, static_cast<std::int64_t>(rows.size())});
  std::vector<int> out;
  for (std::size_t s = 0; s < rows.size(); ++s) {
    const auto n = static_cast<std::int64_t>(s + 1);
    running.push(0, n - 1, {rows[s].data(), {1, 1, n}});
    out.push_back(static_cast<int>(running.windows()(0, 0)));
  }
  return out;
}

// Scores of which few are large, and jump.
std::vector<Row> random_rows(std::uint32_t seed, std::size_t n_tokens) {
  std::mt19937 engine(seed);
  std::vector<Row> rows;
  for (std::size_t s = 0; s < n_tokens; ++s) {
    rows.emplace_back();
    for (std::size_t t = 0; t <= s; ++t) rows.back().push_back(engine() % 29 == 0 ? 0.7f : 0.01f);
  }
  return rows;
}

// Token 0 leaps in row 5: 0.9 is above 4 * 0.05 and above 4 / 6.
TEST(AdaptiveWindow, GrowsAtAJumpAndShrinksWhenAllIsQuiet) {
  std::vector<Row> rows;
  for (std::size_t s = 0; s < 14; ++s) {
    rows.emplace_back(s + 1, 0.05f);
    if (s == 5) rows.back()[0] = 0.9f;
  }
  // With a window of 2, row 5 has the eligible tokens 0 to 3, of which one violates: 0.1 / 4. Then
  // the mean falls by a tenth a row: 0.0225, 0.02025, .. and in row 10 0.0148.
  const AdaptiveWindow rule{.n_min = 2, .n_max = 8, .hi = 0.0203, .lo = 0.0148, .hold = 3};
  EXPECT_EQ(windows(rows, rule, 2), (std::vector<int>{2, 2, 2, 2, 2, 3, 4, 4, 4, 4, 4, 4, 3, 3}));
}

TEST(AdaptiveWindow, IsTheDefinitions) {
  for (const std::uint32_t seed : {1u, 2u, 3u}) {
    const auto rows = random_rows(seed, 60);
    const AdaptiveWindow rule{.n_min = 2, .n_max = 7, .hi = 0.03, .lo = 0.02, .hold = 3};
    const std::vector<int> found = windows(rows, rule, 4);
    int n = 4, quiet = 0, n_changes = 0;
    double mean = 0;
    for (int s = 0; s < 60; ++s) {
      if (s >= n) {
        int violations = 0;
        for (int t = 0; t < s - n + 1; ++t) {
          float largest = 0;
          for (int i = s - n; i < s; ++i) {
            largest =
                std::max(largest, rows[static_cast<std::size_t>(i)][static_cast<std::size_t>(t)]);
          }
          const float score = rows[static_cast<std::size_t>(s)][static_cast<std::size_t>(t)];
          violations += score > 4 * largest && score > 4.0 / (s + 1);
        }
        mean = 0.9 * mean + 0.1 * violations / (s - n + 1);
        quiet = mean < rule.lo ? quiet + 1 : 0;
        const int before = n;
        if (mean > rule.hi) {
          n = std::min(n + 1, 7);
        } else if (quiet >= 3) {
          n = std::max(n - 1, 2);
          quiet = 0;
        }
        n_changes += n != before;
      }
      EXPECT_EQ(found[static_cast<std::size_t>(s)], n) << "seed " << seed << ", row " << s;
    }
    EXPECT_GT(n_changes, 2) << "seed " << seed;
  }
}

TEST(AdaptiveWindow, NeverLeapsAndKeepsItsLimits) {
  for (const std::uint32_t seed : {1u, 2u, 3u}) {
    const std::vector<int> found = windows(
        random_rows(seed, 80), {.n_min = 2, .n_max = 6, .hi = 0.03, .lo = 0.02, .hold = 2}, 40);
    for (std::size_t s = 0; s < found.size(); ++s) {
      EXPECT_GE(found[s], 2);
      EXPECT_LE(found[s], 6) << "also where it began beyond";
      if (s > 0) {
        EXPECT_LE(std::abs(found[s] - found[s - 1]), 1);
      }
    }
  }
}

TEST(AdaptiveWindow, OfOneLengthIsTheFixedOne) {
  const auto rows = random_rows(4, 40);
  for (const std::int64_t n : {1, 3, 16}) {
    RunningImportance fixed({.n_rows = n}, {1, 1, 40}),
        adaptive(
            {.n_rows = 5, .adaptive = AdaptiveWindow{.n_min = n, .n_max = n, .hi = 0, .lo = 0}},
            {1, 1, 40});
    for (std::int64_t s = 0; s < 40; ++s) {
      const NdView<const float, 3> row(rows[static_cast<std::size_t>(s)].data(), {1, 1, s + 1});
      fixed.push(0, s, row);
      adaptive.push(0, s, row);
      EXPECT_TRUE(
          std::ranges::equal(fixed.of_first(s + 1).span(), adaptive.of_first(s + 1).span()));
    }
  }
}

TEST(AdaptiveWindow, RowsTogetherAreRowsOneByOneAndRoomChangesNothing) {
  const auto rows = random_rows(5, 40);
  NdArray<float, 3> all({1, 40, 40});
  for (std::int64_t s = 0; s < 40; ++s) {
    std::ranges::copy(rows[static_cast<std::size_t>(s)], all.sub(0, s).data());
  }
  std::vector<ImportanceOptions> rules{{.n_rows = 6},
                                       {.rule = ImportanceRule::ema},
                                       {.n_rows = 3, .adaptive = AdaptiveWindow{.hi = 0.01}}};
  for (const ImportanceOptions& options : rules) {
    RunningImportance together(options, {1, 1, 40}), one_by_one(options, {1, 1, 4});
    together.push(0, 0, all.view());
    for (std::int64_t s = 0; s < 40; ++s) {
      one_by_one.make_room(s + 1);
      one_by_one.push_row(0, s, all.view(), s);
    }
    EXPECT_TRUE(std::ranges::equal(together.of_first(40).span(), one_by_one.of_first(40).span()));
  }
}

}  // namespace
}  // namespace qaq::test
