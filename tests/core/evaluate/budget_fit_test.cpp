// Methods brought to budgets, on ratios that are known formulas of their parameters.
#include "core/evaluate/budget_fit.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <set>

#include "core/base/error.h"
#include "core/policy/policies.h"
#include "tests/support/refusal.h"

namespace qaq::test {
namespace {

double number(const CachePolicy& policy, std::string_view name) {
  for (const Parameter& each : policy.parameters()) {
    if (each.name != name) continue;
    if (const auto* whole = std::get_if<std::int64_t>(&each.value)) {
      return static_cast<double>(*whole);
    }
    return std::get<double>(each.value);
  }
  ADD_FAILURE() << name;
  return 0;
}

using Formula = std::function<double(const CachePolicy&)>;

class FormulaMeter : public BudgetMeter {
 public:
  explicit FormulaMeter(Formula ratio, Formula loss = {})
      : ratio_(std::move(ratio)), loss_(std::move(loss)) {}

  double ratio(const std::shared_ptr<const CachePolicy>& policy) override {
    ++n_asked_;
    return ratio_(*policy);
  }
  std::vector<double> losses(
      std::span<const std::shared_ptr<const CachePolicy>> policies) override {
    std::vector<double> out;
    for (const auto& each : policies) out.push_back(loss_(*each));
    return out;
  }
  int n_asked() const { return n_asked_; }

 private:
  Formula ratio_, loss_;
  int n_asked_ = 0;
};

const ComparedMethod kByError{
    "qaq",
    {.range = BudgetRange{
         .names = {"target_quantization_error"}, .least = 1e-3, .most = 1e3, .log_scale = true}}};
const ComparedMethod kByBits{"uniform", {.choices = {{"bits", {"2", "3", "4", "8"}}}}};
const ComparedMethod kByResidual{
    "kivi",
    {.fixed = {"group_size=1"},
     .range = BudgetRange{.names = {"residual_length"}, .least = 1, .most = 1000, .whole = true}}};

double decades(const CachePolicy& policy) {
  return std::log10(number(policy, "key.target_quantization_error"));
}

TEST(BudgetFit, HalvesARangeThatRisesOrFalls) {
  const std::vector<double> budgets{2.5, 4, 7.7};
  for (const double sign : {1.0, -1.0}) {
    FormulaMeter meter([sign](const CachePolicy& p) { return 5 + sign * decades(p); });
    const auto fits = fit_budgets(kByError, budgets, meter, {});
    ASSERT_EQ(fits.size(), 3u);
    for (std::size_t i = 0; i < fits.size(); ++i) {
      EXPECT_EQ(fits[i].budget, budgets[i]);
      EXPECT_TRUE(fits[i].met);
      EXPECT_NEAR(fits[i].ratio, budgets[i], 0.002 * budgets[i]);
      EXPECT_NEAR(5 + sign * decades(*fits[i].policy), fits[i].ratio, 1e-12);
      EXPECT_EQ(number(*fits[i].policy, "value.target_quantization_error"),
                number(*fits[i].policy, "key.target_quantization_error"));
      EXPECT_LE(fits[i].below, budgets[i]);
      EXPECT_GE(fits[i].above, budgets[i]);
      ASSERT_EQ(fits[i].assignments.size(), 1u);
      EXPECT_TRUE(fits[i].assignments[0].starts_with("target_quantization_error="));
    }
    EXPECT_LT(meter.n_asked(), 50) << "halving, not walking";
  }
}

TEST(BudgetFit, SaysWhatARangeDoesNotReach) {
  FormulaMeter meter([](const CachePolicy& p) { return 5 + decades(p); });
  const std::vector<double> budgets{1.5, 9};
  const auto fits = fit_budgets(kByError, budgets, meter, {});
  EXPECT_FALSE(fits[0].met);
  EXPECT_DOUBLE_EQ(fits[0].ratio, 2);
  EXPECT_EQ(fits[0].below, 0);
  EXPECT_DOUBLE_EQ(fits[0].above, 2);
  EXPECT_FALSE(fits[1].met);
  EXPECT_DOUBLE_EQ(fits[1].ratio, 8);
  EXPECT_DOUBLE_EQ(fits[1].below, 8);
  EXPECT_EQ(fits[1].above, 0);
}

TEST(BudgetFit, WholeNumbersMayLieOnBothSides) {
  FormulaMeter meter([](const CachePolicy& p) { return 1000 / number(p, "residual_length"); });
  const std::vector<double> budgets{7.3, 600, 1.001};
  const auto fits = fit_budgets(kByResidual, budgets, meter, {});
  EXPECT_TRUE(fits[0].met);
  EXPECT_EQ(fits[0].assignments, (std::vector<std::string>{"group_size=1", "residual_length=137"}));
  EXPECT_FALSE(fits[1].met);
  EXPECT_DOUBLE_EQ(fits[1].below, 500);
  EXPECT_DOUBLE_EQ(fits[1].above, 1000);
  EXPECT_DOUBLE_EQ(fits[1].ratio, 500) << "20 % too many bytes, and not 40 % too few";
  EXPECT_TRUE(fits[2].met);
}

TEST(BudgetFit, TakesTheNearestChoiceWhereNoneIsWithinAPercent) {
  FormulaMeter meter([](const CachePolicy& p) { return 16 / number(p, "key.bits"); },
                     [](const CachePolicy&) { return 0.0; });
  const std::vector<double> budgets{4, 4.03, 4.1, 6, 8.07, 8.1};
  const auto fits = fit_budgets(kByBits, budgets, meter, {});
  const std::vector<std::string> bits{"4", "4", "4", "3", "2", "2"};
  const std::vector<bool> met{true, true, false, false, true, false};
  for (std::size_t i = 0; i < fits.size(); ++i) {
    EXPECT_EQ(fits[i].assignments, (std::vector<std::string>{"bits=" + bits[i]})) << budgets[i];
    EXPECT_EQ(fits[i].met, met[i]) << budgets[i];
    EXPECT_EQ(meets(fits[i].ratio, budgets[i]), met[i]) << budgets[i];
  }
  EXPECT_DOUBLE_EQ(fits[3].below, 16.0 / 3);
  EXPECT_DOUBLE_EQ(fits[3].above, 8);
}

TEST(BudgetFit, OfSettingsThatMeetABudgetTheLeastLossWinsAndTheFirstOfEquals) {
  const ComparedMethod method{
      "uniform", {.choices = {{"bits", {"3", "4"}}, {"group_size", {"16", "32", "64", "8"}}}}};
  const auto ratio = [](const CachePolicy& p) { return 16 / number(p, "key.bits"); };
  const std::vector<double> budgets{4};
  FormulaMeter meter(ratio, [](const CachePolicy& p) {
    return std::abs(number(p, "key.group_size") - 48) < 20 ? 0.1 : 0.2;
  });
  EXPECT_EQ(fit_budgets(method, budgets, meter, {})[0].assignments,
            (std::vector<std::string>{"bits=4", "group_size=32"}));
}

TEST(BudgetFit, LeavesOutWhatThePolicyRefuses) {
  const auto refuse_four = [](const CachePolicy& p) {
    if (number(p, "key.bits") == 4) {
      refuse_usage({.place = "bits", .what = "is 4", .cure = "give another"});
    }
    return 16 / number(p, "key.bits");
  };
  const std::vector<double> budgets{4};
  FormulaMeter meter(refuse_four);
  const BudgetFit fit = fit_budgets(kByBits, budgets, meter, {})[0];
  EXPECT_FALSE(fit.met);
  EXPECT_DOUBLE_EQ(fit.ratio, 16.0 / 3) << "33 % too few bytes against 50 %";

  const ComparedMethod four{"uniform", {.choices = {{"bits", {"4"}}}}};
  EXPECT_NE(refusal([&] { fit_budgets(four, budgets, meter, {}); }, ErrorKind::usage).find("is 4"),
            std::string::npos);
  FormulaMeter lacking([](const CachePolicy&) -> double {
    refuse_input({.file = "a.h5", .what = "has no attention", .cure = "capture again"});
  });
  EXPECT_NE(refusal([&] { fit_budgets(kByBits, budgets, lacking, {}); }).find("no attention"),
            std::string::npos);
}

// The registry's: each name and value is one that the policy takes, and none is declared twice.
TEST(ComparedMethods, NameParametersOfTheirPolicies) {
  const std::vector<ComparedMethod> all = compared_methods();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.front().name, "qaq");
  std::set<std::string> names;
  for (const ComparedMethod& method : all) {
    SCOPED_TRACE(method.name);
    EXPECT_TRUE(names.insert(method.name).second);
    EXPECT_NO_THROW(make_policy(method.name, method.budget.fixed));
    const auto parameters = make_policy(method.name, {})->parameters();
    bool has_scale = false;
    for (const Parameter& each : parameters) has_scale |= each.info.name == "store_scale";
    const auto& fixed = method.budget.fixed;
    EXPECT_EQ(std::ranges::count(fixed, "store_scale=f16"), has_scale ? 1 : 0);
    for (const BudgetChoice& choice : method.budget.choices) {
      EXPECT_FALSE(choice.values.empty());
      for (const Parameter& each : parameters_named(parameters, choice.name)) {
        for (const std::string& value : choice.values) {
          EXPECT_NO_THROW(checked_value(each, ParameterValue(value))) << choice.name << value;
        }
      }
    }
    if (!method.budget.range) continue;
    EXPECT_LT(method.budget.range->least, method.budget.range->most);
    for (const std::string& name : method.budget.range->names) {
      for (const Parameter& each : parameters_named(parameters, name)) {
        EXPECT_NO_THROW(checked_value(each, ParameterValue(method.budget.range->least)));
        EXPECT_NO_THROW(checked_value(each, ParameterValue(method.budget.range->most)));
      }
    }
  }
}

}  // namespace
}  // namespace qaq::test
