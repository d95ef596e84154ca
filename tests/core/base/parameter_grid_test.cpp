#include "core/base/parameter_grid.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace qaq {
namespace {

struct Side {
  int n_bits_min = 1, n_bits_max = 8;
  bool by_error = true;
  double error = 1;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "n_bits_min", .help = "", .min = 0, .max = 16}, self.n_bits_min);
    v(ParameterInfo{.name = "n_bits_max", .help = "", .min = 0, .max = 16}, self.n_bits_max);
    v(ParameterInfo{.name = "by_error", .help = ""}, self.by_error);
    v(ParameterInfo{.name = "error", .help = ""}, self.error);
  }
};
struct Both {
  Side key, value;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v.section("key", [&](auto& inner) { Side::visit(self.key, inner); });
    v.section("value", [&](auto& inner) { Side::visit(self.value, inner); });
  }
};

using Values = std::vector<ParameterValue>;
Values integers(std::initializer_list<std::int64_t> numbers) {
  return {numbers.begin(), numbers.end()};
}

std::vector<Both> settings(const ParameterGrid& grid) {
  std::vector<Both> out;
  for (const auto& list : settings_of(grid, list_parameters(Both{}))) {
    out.push_back(params_of<Both>(list));
  }
  return out;
}

std::string refusal(const ParameterGrid& grid) {
  try {
    settings(grid);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "";
}
testing::AssertionResult says(const std::string& line, const std::string& word) {
  if (line.find(word) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << line;
}

TEST(ParameterGrid, WithoutAxesIsTheDefaults) {
  ASSERT_EQ(settings({}).size(), 1u);
  EXPECT_TRUE(same_parameters(settings({})[0], Both{}));
}

TEST(ParameterGrid, CombinesAxesTheLastOneFastest) {
  const auto all = settings(
      {.axes = {{"key.n_bits_min", integers({0, 2})}, {"value.n_bits_max", integers({3, 4, 5})}}});
  ASSERT_EQ(all.size(), 6u);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(all[i].key.n_bits_min, i < 3 ? 0 : 2);
    EXPECT_EQ(all[i].value.n_bits_max, 3 + static_cast<int>(i % 3));
    EXPECT_EQ(all[i].key.n_bits_max, 8) << "what no axis names stays";
  }
}

TEST(ParameterGrid, ABareNameMovesAllSectionsTogether) {
  for (const Both& both : settings({.axes = {{"n_bits_max", integers({3, 4})}}})) {
    EXPECT_EQ(both.key.n_bits_max, both.value.n_bits_max);
  }
}

TEST(ParameterGrid, ConditionsKeepSomeSettings) {
  ParameterGrid grid{.axes = {{"n_bits_min", integers({1, 5})}, {"n_bits_max", integers({3, 6})}}};
  for (const auto& [condition, n] :
       std::vector<std::pair<std::string, std::size_t>>{{"n_bits_min <= n_bits_max", 3},
                                                        {"key.n_bits_min > value.n_bits_max", 1},
                                                        {"n_bits_min == 1 and n_bits_max != 3", 1},
                                                        {"by_error == false", 0},
                                                        {"error >= 1", 4},
                                                        {"n_bits_min < 5", 2}}) {
    grid.conditions = {condition};
    EXPECT_EQ(settings(grid).size(), n) << condition;
  }
  grid.conditions = {"n_bits_min == 1", "n_bits_max == 3"};
  EXPECT_EQ(settings(grid).size(), 1u) << "all must hold";
}

TEST(ParameterGrid, BranchesHaveAxesOfTheirOwn) {
  const auto all =
      settings({.axes = {{"by_error", Values{false, true}}},
                .branches = {{"by_error == false", {{"n_bits_max", integers({1, 2})}}},
                             {"by_error == true", {{"error", Values{1.0, 3.0, 10.0}}}}}});
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[1].key.n_bits_max, 2);
  EXPECT_EQ(all[4].key.n_bits_max, 8) << "a branch leaves the settings of others alone";
  EXPECT_EQ(all[4].key.error, 10.0);
}

TEST(ParameterGrid, EqualSettingsAreMadeOnce) {
  EXPECT_EQ(settings({.axes = {{"error", Values{1.0, std::int64_t{1}, 3.0}}}}).size(), 2u);
}

TEST(ParameterGrid, WhatItCannotMeanIsNamed) {
  EXPECT_TRUE(says(refusal({.axes = {{"n_bit_max", integers({1})}}}), "n_bits_max"));
  EXPECT_TRUE(says(refusal({.axes = {{"n_bits_max", integers({1, 17})}}}), "17"));
  EXPECT_TRUE(says(refusal({.axes = {{"n_bits_max", {}}}}), "no values"));
  EXPECT_TRUE(says(refusal({.conditions = {"n_bits_max"}}), "compares nothing"));
  EXPECT_TRUE(says(refusal({.conditions = {"n_bits == 3"}}), "n_bits"));
  EXPECT_TRUE(says(refusal({.conditions = {"by_error < true"}}), "orders"));
  EXPECT_TRUE(says(refusal({.branches = {{"by_error == maybe", {}}}}), "maybe"));
}

TEST(ParameterGrid, TooManySettingsAreRefusedBeforeAnyIsMade) {
  ParameterGrid grid;
  Values errors;
  for (int i = 1; i <= 1000; ++i) errors.emplace_back(static_cast<double>(i));
  for (const char* name : {"key.error", "value.error", "key.n_bits_max", "value.n_bits_max"}) {
    grid.axes.push_back(
        {name, std::string(name).ends_with("error") ? errors : integers({1, 2, 3})});
  }
  EXPECT_TRUE(says(refusal(grid), "9e+06"));
}

}  // namespace
}  // namespace qaq
