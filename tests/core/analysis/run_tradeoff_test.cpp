// Runs as points: their numbers are the replay's, and the front is what no other run beats.
#include "core/analysis/run_tradeoff.h"

#include <gtest/gtest.h>

#include "core/replay/replay.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

RunSummary made(double nominal, double packed, double loss) {
  return {.metrics = {{"ratio_nominal", nominal}, {"ratio_packed", packed}, {"kl_mean", loss}}};
}

TEST(RunSummary, HoldsTheReplaysSettingAndNumbers) {
  ReplayOptions options;
  options.prefix = 20;
  options.params.value.level = Level::layer;
  options.params.key.q_norm = RealOrAuto::automatic();
  options.params.gqa_reduce = GqaReduce::mean;
  const auto result = replay(synthetic_capture(), options);
  const RunSummary run = summary_of(*result, "mine");
  EXPECT_EQ(run.name, "mine");
  EXPECT_TRUE(run.params.is_qaq());
  EXPECT_TRUE(same_parameters(run.params.qaq, options.params));
  EXPECT_EQ(run.prefix, 20);
  EXPECT_EQ(run.metrics.at("ratio_packed"), result->ratio_packed);
  EXPECT_EQ(run.metrics.at("output_error"), result->mean_output_error);
  EXPECT_FALSE(run.has("logit_error")) << "was not computed";
  RunSummary other = run;
  other.name = "yours";
  EXPECT_TRUE(same_setting(run, other));
  other.prefix = 21;
  EXPECT_FALSE(same_setting(run, other));
  other = run;
  other.params.qaq.value.outliers_ratio = 0.02;
  EXPECT_FALSE(same_setting(run, other));
}

TEST(RunTradeoff, TheFrontIsWhatNoOtherRunBeats) {
  const std::vector<RunSummary> runs{made(2, 5, .1),
                                     made(4, 4, .3),
                                     made(3, 1, .4),
                                     made(8, 2, .9),
                                     {.metrics = {{"ratio_nominal", 9}}}};
  const auto nominal = run_tradeoff(runs, Accounting::nominal, "kl_mean");
  ASSERT_EQ(nominal.size(), 4u) << "the last has no KL";
  EXPECT_TRUE(nominal[0].on_front);
  EXPECT_TRUE(nominal[1].on_front);
  EXPECT_FALSE(nominal[2].on_front) << "4 at .3 is better in both";
  EXPECT_TRUE(nominal[3].on_front);
  const auto packed = run_tradeoff(runs, Accounting::packed, "kl_mean");
  EXPECT_TRUE(packed[0].on_front);
  EXPECT_FALSE(packed[1].on_front || packed[2].on_front || packed[3].on_front);
  EXPECT_EQ(packed[3].ratio, 2);
  EXPECT_TRUE(run_tradeoff(runs, Accounting::packed, "output_error").empty());
  EXPECT_EQ(losses_of(runs), std::vector<std::string>{"kl_mean"});
}

TEST(RunTradeoff, StairsTouchTheFrontAndLeaveNoRunBelow) {
  const std::vector<RunSummary> runs{made(8, 1, .9), made(2, 1, .1), made(4, 1, .3)};
  const auto points = run_tradeoff(runs, Accounting::nominal, "kl_mean");
  const auto stairs = front_stairs(points);
  const std::vector<std::pair<double, double>> right{{2, .1}, {2, .3}, {4, .3}, {4, .9}, {8, .9}};
  ASSERT_EQ(stairs.size(), right.size());
  for (std::size_t i = 0; i < right.size(); ++i) {
    EXPECT_EQ(stairs[i].ratio, right[i].first);
    EXPECT_EQ(stairs[i].loss, right[i].second);
  }
  EXPECT_TRUE(front_stairs({}).empty());
}

TEST(RunTradeoff, TheTableHasEveryRunAndItsLevels) {
  std::vector<RunSummary> runs{made(2, 5, .1), {.name = "with, comma"}};
  runs[1].params.qaq.value.level = Level::token;
  const Table table = run_table(runs, Accounting::nominal, "kl_mean");
  std::vector<std::vector<Cell>> rows;
  table.for_each_row([&](std::span<const Cell> row) { rows.emplace_back(row.begin(), row.end()); });
  ASSERT_EQ(rows.size(), 2u);
  const auto column = [&](const std::string& name) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (table.columns[i].name == name) return i;
    }
    return table.columns.size();
  };
  EXPECT_EQ(rows[0][column("on_front")], Cell(std::int64_t{1}));
  EXPECT_EQ(rows[1][column("on_front")], Cell(std::int64_t{0}));
  EXPECT_EQ(rows[0][column("ratio_packed")], Cell(5.f));
  EXPECT_EQ(rows[1][column("kl_mean")], Cell());
  EXPECT_EQ(rows[1][column("name")], Cell(std::string("with  comma")));
  EXPECT_EQ(rows[1][column("value_level")], Cell(static_cast<std::int64_t>(Level::token)));
}

}  // namespace
}  // namespace qaq::test
