// Importance as rows come in: by hand, and what the rules have to do with each other.
#include "core/policy/running_importance.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>
#include <vector>

namespace qaq::test {
namespace {

using Row = std::vector<float>;

// Importance of one head after each of the rows; row s has s + 1 scores.
std::vector<Row> importances(const std::vector<Row>& rows, ImportanceRule rule, double beta,
                             std::int64_t n_rows = 1) {
  const auto n_tokens = static_cast<std::int64_t>(rows.size());
  RunningImportance running({rule, beta, n_rows, GqaReduce::max}, {1, 1, n_tokens});
  std::vector<Row> out;
  for (std::int64_t s = 0; s < n_tokens; ++s) {
    const Row& row = rows[static_cast<std::size_t>(s)];
    running.push(0, s, {row.data(), {1, 1, s + 1}});
    const auto seen = running.of_first(s + 1).span();
    out.emplace_back(seen.begin(), seen.end());
  }
  return out;
}

const std::vector<Row> kRows{{1}, {0.5f, 0.5f}, {0.25f, 0.25f, 0.5f}, {0.125f, 0.625f, 0.25f, 0}};

std::vector<Row> random_rows(std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<Row> rows;
  for (std::size_t s = 0; s < 40; ++s) {
    rows.emplace_back();
    for (std::size_t t = 0; t <= s; ++t) {
      const float x = static_cast<float>(engine() % 1000) / 1000;
      rows.back().push_back(x * x * x);
    }
  }
  return rows;
}

TEST(RunningImportance, IsAsByHand) {
  EXPECT_EQ(importances(kRows, ImportanceRule::window_max, 0, 2),
            (std::vector<Row>{{1}, {1, 0.5f}, {0.5f, 0.5f, 0.5f}, {0.25f, 0.625f, 0.5f, 0}}));
  EXPECT_EQ(
      importances(kRows, ImportanceRule::ema, 0.5),
      (std::vector<Row>{{1}, {0.75f, 0.5f}, {0.5f, 0.375f, 0.5f}, {0.3125f, 0.5f, 0.375f, 0}}));
  EXPECT_EQ(
      importances(kRows, ImportanceRule::decayed_max, 0.5),
      (std::vector<Row>{{1}, {0.5f, 0.5f}, {0.25f, 0.25f, 0.5f}, {0.125f, 0.625f, 0.25f, 0}}));
  EXPECT_EQ(importances(kRows, ImportanceRule::accumulated, 0).back(),
            (Row{1.875f, 1.375f, 0.75f, 0}));
}

TEST(RunningImportance, TakesTheGroupsHeadsTogether) {
  const Row heads{0.25f, 0.5f};  // two query heads of one KV head, one token
  const auto of = [&](GqaReduce reduce) {
    RunningImportance running({ImportanceRule::accumulated, 0, 1, reduce}, {1, 1, 1});
    running.push(0, 0, {heads.data(), {2, 1, 1}});
    return running.of_first(1)(0, 0, 0);
  };
  EXPECT_EQ(of(GqaReduce::max), 0.5f);
  EXPECT_EQ(of(GqaReduce::mean), 0.375f);
  EXPECT_EQ(of(GqaReduce::sum), 0.75f);
}

TEST(RunningImportance, WithoutMemoryIsTheScore) {
  for (const std::uint32_t seed : {1u, 2u, 3u}) {
    const auto rows = random_rows(seed);
    EXPECT_EQ(importances(rows, ImportanceRule::ema, 0), rows) << "seed " << seed;
    EXPECT_EQ(importances(rows, ImportanceRule::decayed_max, 0), rows) << "seed " << seed;
    EXPECT_EQ(importances(rows, ImportanceRule::window_max, 0, 1), rows) << "seed " << seed;
  }
}

TEST(RunningImportance, RulesAreOrderedAsFarAsTheyAre) {
  constexpr double kBeta = 0.8, kRounding = 1e-6;
  std::int64_t n_rising = 0;
  for (const std::uint32_t seed : {1u, 2u, 3u}) {
    const auto rows = random_rows(seed);
    const auto ema = importances(rows, ImportanceRule::ema, kBeta);
    const auto decayed = importances(rows, ImportanceRule::decayed_max, kBeta);
    const auto largest =
        importances(rows, ImportanceRule::window_max, 0, static_cast<std::int64_t>(rows.size()));
    for (std::size_t s = 0; s < rows.size(); ++s) {
      for (std::size_t t = 0; t <= s; ++t) {
        EXPECT_GE(decayed[s][t], rows[s][t]);
        EXPECT_LE(decayed[s][t], largest[s][t]);
        EXPECT_LE(ema[s][t], largest[s][t] + kRounding);
        // Each of its s - t + 1 terms is a share of what decayed_max is the largest of.
        EXPECT_LE(ema[s][t],
                  (1 + static_cast<double>(s - t) * (1 - kBeta)) * decayed[s][t] + kRounding);
        if (t == s || rows[s][t] < ema[s - 1][t]) continue;
        EXPECT_GE(decayed[s][t], ema[s][t]) << "a score that rises";
        ++n_rising;
      }
    }
  }
  EXPECT_GT(n_rising, 100);
  // Scores that fall slowly: an average remembers more of them than the fading maximum.
  EXPECT_GT(importances(kRows, ImportanceRule::ema, 0.5)[3][0],
            importances(kRows, ImportanceRule::decayed_max, 0.5)[3][0]);
}

}  // namespace
}  // namespace qaq::test
