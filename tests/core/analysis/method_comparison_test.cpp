// Methods in one table: their front and remarks by hand, captures' numbers as replays have them.
#include "core/analysis/method_comparison.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "core/base/parallel.h"
#include "core/policy/policies.h"
#include "core/replay/replayer.h"
#include "tests/support/test_captures.h"

namespace qaq::test {
namespace {

std::vector<std::vector<Cell>> rows_of(const Table& table) {
  std::vector<std::vector<Cell>> out;
  table.for_each_row([&](std::span<const Cell> row) { out.emplace_back(row.begin(), row.end()); });
  return out;
}

const Table& table_named(const ExperimentResult& result, const std::string& name) {
  return std::ranges::find(result.tables, name, &ExperimentTable::name)->table;
}

std::size_t column_of(const Table& table, const std::string& name) {
  return static_cast<std::size_t>(std::ranges::find(table.columns, name, &Column::name) -
                                  table.columns.begin());
}

MethodAtBudget measured(std::string method, double budget, double ratio, double output_error) {
  MethodAtBudget out{.method = std::move(method), .fit = {.budget = budget}, .refusal = {}};
  out.fit.policy = make_policy("uniform", {});
  out.fit.ratio = ratio;
  out.fit.met = meets(ratio, budget);
  out.fit.below = ratio;
  out.figures.ratio = ratio;
  out.figures.output_error = output_error;
  return out;
}

std::vector<MethodAtBudget> some_rows() {
  MethodAtBudget refused{.method = "d", .fit = {.budget = 4}, .refusal = "needs attention"};
  return {measured("qaq", 4, 4, 0.1),     measured("qaq", 8, 8, 0.6),
          measured("b", 4, 4.01, 0.2),    measured("b", 8, 7.98, 0.3),
          measured("c", 4, 1.9, 0.05),    measured("c", 8, 1.9, 0.05),
          measured("beaten", 4, 4, 0.11), refused};
}

TEST(MethodTables, TheFrontIsWhatNoOtherSavesMoreAndLosesLess) {
  const ExperimentResult result = method_tables(some_rows(), nullptr);
  const auto front = rows_of(table_named(result, "front"));
  // By ratio; c has one setting and stands once; qaq's 8 saves most, whatever it loses.
  const std::vector<std::pair<float, std::string>> expected{
      {1.9f, "c"}, {4.f, "qaq"}, {4.01f, "b"}, {7.98f, "b"}, {8.f, "qaq"}};
  ASSERT_EQ(front.size(), expected.size());
  for (std::size_t i = 0; i < front.size(); ++i) {
    EXPECT_EQ(std::get<float>(front[i][0]), expected[i].first);
    EXPECT_EQ(std::get<std::string>(front[i][2]), expected[i].second);
  }
  EXPECT_EQ(std::get<float>(front[1][1]), 0.1f);
  EXPECT_EQ(table_named(result, "front").columns[1].name, "output_error");
}

TEST(MethodTables, SayWhoMetWhichBudgetAndWhoLosesLeast) {
  const ExperimentResult result = method_tables(some_rows(), nullptr);
  const Table& main = table_named(result, "");
  std::vector<std::string> met;
  for (const auto& row : rows_of(main)) {
    met.push_back(std::get<std::string>(row[column_of(main, "met")]));
  }
  EXPECT_EQ(met, (std::vector<std::string>{"yes", "yes", "yes", "yes", "cannot", "cannot", "yes",
                                           "refused"}));
  const auto says = [&](const std::string& text) {
    return std::ranges::any_of(result.remarks, [&](const std::string& remark) {
      return remark.find(text) != std::string::npos;
    });
  };
  EXPECT_TRUE(says("At 4 x qaq loses least (output_error 0.1)."));
  EXPECT_TRUE(says("At 8 x b loses least (output_error 0.3), qaq 2 times as much."));
  EXPECT_TRUE(says("c cannot meet 8 x: nearest 1.9."));
  EXPECT_TRUE(says("d is not there: needs attention."));
  EXPECT_EQ(result.chart.panels.size(), 1u);
  EXPECT_EQ(result.chart.panels[0].series.size(), 5u) << "the front, and each that was measured";
  for (const ExperimentTable& table : result.tables) {
    for (const auto& row : rows_of(table.table)) EXPECT_EQ(row.size(), table.table.columns.size());
  }
}

class MethodsOnCaptures : public testing::Test {
 protected:
  MethodsOnCaptures() {
    SyntheticShape shape{.n_heads = 4, .n_kv_heads = 2, .n_tokens = 80, .head_dim = 64};
    for (const std::uint32_t seed : {3u, 4u}) {
      captures_.push_back(std::make_shared<MemoryCapture>(synthetic_capture(shape, seed)));
    }
  }
  std::vector<MethodAtBudget> compared(const std::vector<double>& budgets) {
    CaptureMeter meter(captures_, {.prefix = 64, .n_rows = 16}, {});
    return methods_at_budgets(compared_methods(), budgets, meter, {});
  }

  std::vector<std::shared_ptr<const CaptureView>> captures_;
};

TEST_F(MethodsOnCaptures, KeepToTheBudgetOrSayThatTheyCannot) {
  const std::vector<double> budgets{3, 4, 6};
  const auto rows = compared(budgets);
  ASSERT_EQ(rows.size(), 3 * compared_methods().size());
  for (const MethodAtBudget& row : rows) {
    SCOPED_TRACE(row.method + " " + std::to_string(row.fit.budget));
    if (!row.fit.policy) {
      EXPECT_NE(row.refusal, "");
      continue;
    }
    // Bytes of both captures, as a replay of each has them.
    std::int64_t bytes = 0, values = 0;
    double output = 0;
    for (const auto& capture : captures_) {
      const SharedReplay result = replay(*capture, {{}, 64, row.fit.policy});
      bytes += result->key.packed.total() + result->value.packed.total();
      values += result->key.n_values + result->value.n_values;
      output += result->mean_output_error.value() / 2;
    }
    EXPECT_EQ(row.figures.packed.total(), bytes);
    const double wanted = 2 * static_cast<double>(values) / row.fit.budget;
    const double missed = std::abs(static_cast<double>(bytes) / wanted - 1);
    EXPECT_EQ(row.fit.met, missed <= kBudgetTolerance) << missed;
    EXPECT_DOUBLE_EQ(row.fit.ratio, row.figures.ratio);
    EXPECT_NEAR(row.figures.output_error.value(), output, 1e-6 * output);
    EXPECT_GT(row.seconds.plan + row.seconds.code, 0);
  }
  const auto at = [&](std::string_view method, double budget) {
    return *std::ranges::find_if(rows, [&](const MethodAtBudget& row) {
      return row.method == method && row.fit.budget == budget;
    });
  };
  for (const double budget : budgets) EXPECT_TRUE(at("qaq", budget).fit.met) << budget;
  // Groups of 64 channels or tokens: b bits and half a bit for each group of them. 3 and two of 32
  // are 4 bits; 5.33 bits lie between 5 and 5.5.
  EXPECT_DOUBLE_EQ(at("uniform", 4).fit.ratio, 4);
  const BudgetFit three = at("uniform", 3).fit;
  EXPECT_FALSE(three.met);
  EXPECT_DOUBLE_EQ(three.below, 16 / 5.5);
  EXPECT_DOUBLE_EQ(three.above, 16 / 5.0);
  EXPECT_DOUBLE_EQ(at("q8_0", 4).fit.ratio, 16 / 8.5);
  EXPECT_DOUBLE_EQ(at("q4_0", 4).fit.ratio, 16 / 4.5);
}

TEST_F(MethodsOnCaptures, AreTheSameOnAnyNumberOfThreads) {
  const auto figures = [&](int n_threads) {
    set_thread_count(n_threads);
    std::vector<std::vector<std::string>> out;
    for (const MethodAtBudget& row : compared({4})) {
      std::vector<std::string> line = row.fit.assignments;
      line.push_back(row.method);
      line.push_back(std::to_string(row.figures.packed.total()));
      for (const auto& number : {row.figures.output_error, row.figures.attention_error,
                                 std::optional(row.figures.quantization_error)}) {
        line.push_back(number ? testing::PrintToString(*number) : "none");
      }
      out.push_back(std::move(line));
    }
    return out;
  };
  const auto one = figures(1), three = figures(3);
  set_thread_count(0);
  EXPECT_EQ(one, three);
}

}  // namespace
}  // namespace qaq::test
