// What is set of a capture, whatever the policy.
#include "core/analysis/scope_params.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "core/policy/policies.h"
#include "tests/support/refusal.h"

namespace qaq {
namespace {

using test::refusal;

ScopeParams of(const std::string& policy) {
  ScopeParams out;
  set_policy(out, policy);
  return out;
}

/// Of every policy that there is, and of each that evicts behind QAQ.
std::vector<std::string> all_policies() {
  std::vector<std::string> out;
  for (const std::string& name : policy_names()) {
    out.push_back(name);
    if (!parts_of(name).evicts.empty()) out.push_back("qaq+" + name);
  }
  return out;
}

TEST(ScopeParams, ListWhatThePolicyHas) {
  for (const std::string& name : all_policies()) {
    const ScopeParams params = of(name);
    EXPECT_EQ(params.policy, name);
    auto expected = make_policy(name, {})->parameters();
    const std::size_t n_of_policy = expected.size();
    const auto listed = list_parameters(params);
    ASSERT_GE(listed.size(), n_of_policy);
    for (std::size_t i = 0; i < n_of_policy; ++i) {
      EXPECT_EQ(listed[i].name, expected[i].name) << name;
      EXPECT_EQ(value_text(listed[i].value), value_text(expected[i].value)) << name;
    }
    EXPECT_EQ(listed.size() - n_of_policy, params.uses_qaq() ? 3 : 0) << "violations are QAQ's";
    EXPECT_TRUE(same_parameters(params, defaults_of(params))) << name;
    EXPECT_EQ(command_line_text(params), name == "qaq" ? "" : "--policy " + name);
  }
}

TEST(ScopeParams, MakeThePolicyThatTheySay) {
  ScopeParams kivi = of("kivi");
  set_parameter(kivi, "k_bits", std::string("4"));
  const auto made = make_policy(kivi);
  EXPECT_EQ(made->name(), "kivi");
  EXPECT_EQ(parameters_json(made->parameters()), parameters_json(list_parameters(kivi)));
  EXPECT_EQ(command_line_text(kivi), "--policy kivi --set k_bits=4");
  const ReplayOptions options = replay_options(kivi, 7);
  EXPECT_EQ(options.prefix, 7);
  ASSERT_TRUE(options.policy);
  EXPECT_FALSE(replay_options(ScopeParams{}, 0).policy) << "QAQ needs none";

  ScopeParams tight;
  tight.qaq.value.target_quantization_error = 0.1 + 0.2;  // no short number
  EXPECT_EQ(value_text(make_policy(tight)->parameters()[10].value),
            value_text(list_parameters(tight)[10].value));
}

TEST(ScopeParams, AreTakenFromWhatAReplayHad) {
  for (const std::string& name : all_policies()) {
    ScopeParams params = of(name);
    const auto made = make_policy(params)->parameters();
    EXPECT_TRUE(same_policy(scope_params_of(name, made), params)) << name;
  }
  EXPECT_EQ(scope_params_of("of_a_later_program", {}).policy, "of_a_later_program");
}

TEST(ScopeParams, KeepOfThePolicyBeforeWhatBothHave) {
  ScopeParams params;
  params.qaq.key.n_bits_max = 7;
  params.violation.violation_ratio = 9;
  set_policy(params, "kivi");
  EXPECT_TRUE(same_parameters(params.qaq, QaqParams{})) << "equal settings are equal values";
  set_parameter(params, "k_bits", std::int64_t{3});
  set_policy(params, "q4_0");
  set_policy(params, "kivi");
  EXPECT_TRUE(same_parameters(params, of("kivi")));

  ScopeParams run = of("kivi");
  ScopeParams shown;
  shown.violation.violation_ratio = 9;
  take_policy(shown, ScopeParams{});
  EXPECT_EQ(shown.violation.violation_ratio, 9) << "no run has that";
  take_policy(shown, run);
  EXPECT_TRUE(same_parameters(shown, run));
}

TEST(ScopeParams, RefuseWhatIsNoPolicyOrNoParameterOfIt) {
  ScopeParams params;
  EXPECT_NE(refusal([&] { set_policy(params, "kiwi"); }, ErrorKind::usage).find("kivi"),
            std::string::npos);
  EXPECT_NE(
      refusal([&] { set_policy(params, "qaq+kivi"); }, ErrorKind::usage).find("is no composition"),
      std::string::npos);
  EXPECT_EQ(params.policy, "qaq");
  set_policy(params, "kivi");
  EXPECT_NE(refusal([&] { set_parameter(params, "n_bits_max", std::int64_t{4}); }, ErrorKind::usage)
                .find("no such parameter"),
            std::string::npos);
  EXPECT_NE(refusal([&] { set_parameter(params, "violation_ratio", 4.0); }, ErrorKind::usage)
                .find("no such parameter"),
            std::string::npos);
  params.rest.front().value = std::int64_t{99};
  EXPECT_THROW(make_policy(params), Error);
}

TEST(PolicyParts, GoThereAndBack) {
  EXPECT_EQ(parts_of("qaq"), (PolicyParts{"qaq", {}}));
  EXPECT_EQ(name_of(PolicyParts{}), "full");
  EXPECT_EQ(name_of(PolicyParts{"full", "h2o"}), "h2o");
  EXPECT_EQ(name_of(PolicyParts{"qaq", "h2o"}), "qaq+h2o");
  for (const std::string& name : all_policies()) EXPECT_EQ(name_of(parts_of(name)), name);
}

}  // namespace
}  // namespace qaq
