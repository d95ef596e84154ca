#include "data/presets/preset.h"

#include <fstream>
#include <gtest/gtest.h>

#include "core/analysis/scope_params.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

class PresetFile : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    std::ofstream(folder_.file("preset.json")) << text;
    return folder_.file("preset.json");
  }
  // The error's line, or nothing where the file is taken.
  std::string refusal(const std::string& text) {
    ScopeParams params;
    try {
      apply_preset(write(text), params);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_NE(std::string(error.what()).find("preset.json"), std::string::npos);
      return error.what();
    }
    return "";
  }
  static bool says(const std::string& line, const std::string& word) {
    return line.find(word) != std::string::npos;
  }

  test::TemporaryFolder folder_;
};

TEST_F(PresetFile, SetsWhatItNamesAndLeavesTheRest) {
  ScopeParams params;
  apply_preset(write(R"({"format": "qaq-preset", "version": 1, "policy": "qaq",
                         "set": {"key.level": "token", "n_bits_max": 6, "value.symmetric": true,
                                 "violation_ratio": 8}})"),
               params);
  EXPECT_EQ(params.qaq.key.level, Level::token);
  EXPECT_EQ(params.qaq.value.level, Level::head);
  EXPECT_EQ(params.qaq.key.n_bits_max, 6);
  EXPECT_EQ(params.qaq.value.n_bits_max, 6);
  EXPECT_FALSE(params.qaq.key.symmetric);
  EXPECT_TRUE(params.qaq.value.symmetric);
  EXPECT_EQ(params.violation.violation_ratio, 8.0);
  EXPECT_EQ(params.violation.violation_floor, ViolationParams{}.violation_floor);
}

TEST_F(PresetFile, IsRefusedWithPlaceAndCure) {
  const std::string head = R"({"format": "qaq-preset", "version": 1, )";
  EXPECT_TRUE(says(refusal(head + R"("set": {"outlier_ratio": 0.1}})"), "outliers_ratio"));
  EXPECT_TRUE(says(refusal(head + R"("set": {"n_bits_max": 40}})"), "set/key.n_bits_max"));
  EXPECT_TRUE(says(refusal(head + R"("set": {"level": [1]}})"), "set/level"));
  EXPECT_TRUE(says(refusal(head + R"("sett": {}})"), "did you mean set?"));
  EXPECT_TRUE(says(refusal(head + R"("policy": "kiwi"})"), "policy: there is no policy 'kiwi'"));
  EXPECT_TRUE(says(refusal(head + R"("policy": 7})"), "policy"));
  EXPECT_TRUE(says(refusal(head + R"("policy": "kivi", "set": {"n_bits_max": 4}})"), "n_bits_max"));
  EXPECT_TRUE(says(refusal(R"({"format": "qaq-preset", "version": 7})"), "version 7"));
  EXPECT_TRUE(says(refusal(R"({"format": "qaq-grid", "version": 1})"), "format"));
  EXPECT_TRUE(says(refusal(head), "byte "));
  EXPECT_TRUE(says(refusal("[]"), "no JSON object"));
  EXPECT_EQ(refusal(head + R"("set": {}})"), "");
}

TEST_F(PresetFile, IsOfAnyPolicy) {
  const std::string text = R"({"format": "qaq-preset", "version": 1, "policy": "kivi",
                               "set": {"k_bits": 4}})";
  ScopeParams params;
  apply_preset(write(text), params);
  EXPECT_EQ(params.policy, "kivi");
  EXPECT_EQ(value_text(list_parameters(params).front().value), "4");
  apply_preset("paper", params);
  EXPECT_EQ(params.policy, "qaq") << "and back";
  EXPECT_EQ(params.qaq.key.n_bits_max, 4);
  EXPECT_THROW(params_from<QaqParams>(write(text), {}), Error) << "where only QAQ can be set";
  EXPECT_EQ(scope_params_from("", write(text), {"v_bits=3"}).policy, "kivi");
}

TEST(BundledPresets, AreAllTakenAndPaperHoldsThePapersSettings) {
  const auto names = preset_names();
  ASSERT_FALSE(names.empty());
  for (const std::string& name : names) {
    ScopeParams params;
    EXPECT_NO_THROW(apply_preset(name, params)) << name;
    EXPECT_NO_THROW(validate(params.qaq)) << name;
  }
  ScopeParams params;
  apply_preset("paper", params);
  for (const QaqSideParams* side : {&params.qaq.key, &params.qaq.value}) {
    EXPECT_EQ(side->target_quantization_error, 3.0);
    EXPECT_EQ(side->n_bits_min, 1);
    EXPECT_EQ(side->n_bits_max, 4);
    EXPECT_EQ(side->outliers_ratio, 0.01);
    EXPECT_EQ(side->last_n_attentions, 5);
  }
  EXPECT_EQ(params.qaq.key.q_norm, 300.0);
  EXPECT_EQ(params.qaq.key.variant, Variant::reference);
}

TEST(BundledPresets, BoundPromisesOnMeasuredQueries) {
  ScopeParams params;
  apply_preset("bound", params);
  EXPECT_EQ(params.qaq.key.variant, Variant::bound);
  EXPECT_EQ(params.qaq.value.variant, Variant::bound);
  EXPECT_FALSE(params.qaq.key.q_norm.number);
}

TEST(BundledPresets, AnUnknownNameListsThem) {
  try {
    read_preset("papre");
    FAIL() << "took a preset that is not there";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("paper"), std::string::npos);
  }
}

}  // namespace
}  // namespace qaq
