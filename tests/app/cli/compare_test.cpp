// `qaq compare`: the same numbers as the replays that it compares.

#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/model_fixture.h"
#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_json;
using test::run_qaq;
using test::TemporaryFolder;

const std::string kLetter = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

class CompareCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    letter_ = folder_.file("letter.h5");
    std::filesystem::copy_file(kLetter, letter_);
  }
  json replayed(const std::string& name, const std::string& target, const std::string& prefix) {
    return run_json({"replay", letter_, "--set", "target_quantization_error=" + target, "--prefix",
                     prefix, "--save", name})["metrics"];
  }

  TemporaryFolder folder_;
  std::string letter_;
};

TEST_F(CompareCommand, MetricsOfTwoRunsAreTheirReplays) {
  const json wide = replayed("wide", "3", "48"), tight = replayed("tight", "0.01", "48");
  const json both = run_json({"compare", letter_ + "#wide", letter_ + "#tight"});
  EXPECT_EQ(both["schema_version"], 1);
  EXPECT_EQ(both["n_tokens"], 64);
  EXPECT_EQ(both["prefix"], 48);
  EXPECT_EQ(both["remark"], "");
  for (const char* name :
       {"output_error", "key_quantization_error", "value_average_n_bits", "ratio_packed"}) {
    const json& metric = both["metrics"][name];
    EXPECT_NEAR(metric["a"].get<double>(), wide[name].get<double>(),
                1e-6 * wide[name].get<double>())
        << name;
    EXPECT_NEAR(metric["b"].get<double>(), tight[name].get<double>(),
                1e-6 * tight[name].get<double>())
        << name;
  }
  EXPECT_EQ(both["metrics"]["output_error"]["word"], "better");
  EXPECT_EQ(both["metrics"]["output_error"]["n"], 16);
  EXPECT_TRUE(both["arrays"].empty());
  ASSERT_EQ(both["settings"].size(), 2u);
  EXPECT_EQ(both["settings"][0]["name"], "key.target_quantization_error");
}

TEST_F(CompareCommand, TextHasTheSameWords) {
  replayed("wide", "3", "48");
  const ProgramResult result = run_qaq({"compare", letter_, letter_ + "#wide", "--quiet"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("settings that differ"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("no-quantization"), std::string::npos);
  EXPECT_NE(result.out.find("better"), std::string::npos);
  EXPECT_NE(result.out.find("worse"), std::string::npos);
}

TEST_F(CompareCommand, TwoCapturesOfOneTextAreCompared) {
  const json both = run_json({"compare", kLetter, letter_});
  EXPECT_EQ(both["arrays"].size(), 4u);
  EXPECT_EQ(both["arrays"]["key"]["max_difference"], 0);
  EXPECT_GT(both["arrays"]["key"]["rms_a"].get<double>(), 0);
  EXPECT_TRUE(both["metrics"].empty());
}

TEST_F(CompareCommand, WithAModelTheStepsAreScored) {
  QAQ_SMOLLM2_OR_SKIP(model);
  replayed("wide", "3", "48");
  replayed("tight", "0.01", "48");
  const json both = run_json({"compare", letter_ + "#wide", letter_ + "#tight", "--model", model});
  const json &kl = both["metrics"]["kl_mean"], &top = both["metrics"]["same_top"];
  EXPECT_EQ(kl["n"], 16);
  EXPECT_EQ(kl["word"], "better");
  EXPECT_GT(kl["a"].get<double>(), kl["b"].get<double>());
  EXPECT_LT(kl["interval"][1].get<double>(), 0);
  EXPECT_FALSE(top["less_is_better"].get<bool>());
  EXPECT_EQ(both["metrics"]["nll"]["n"], 15) << "what follows the last token is not known";

  const json whole = run_json({"compare", letter_, letter_ + "#tight", "--model", model});
  EXPECT_LT(whole["metrics"]["kl_mean"]["a"].get<double>(), 1e-5) << "numbers of a float16 file";
  EXPECT_EQ(whole["metrics"]["kl_mean"]["b"], kl["b"]) << "whatever it stands beside";
}

TEST_F(CompareCommand, AModelNeedsTokensBehindThePrefix) {
  QAQ_SMOLLM2_OR_SKIP(model);
  replayed("all", "3", "0");
  const ProgramResult result =
      run_qaq({"compare", letter_, letter_ + "#all", "--model", model, "--quiet"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("quantizes every token"), std::string::npos) << result.err;
}

TEST_F(CompareCommand, ACaptureHeldAgainstItselfIsWrongUsage) {
  const ProgramResult result = run_qaq({"compare", letter_, letter_, "--quiet"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("is what it is compared with; name a run of it"), std::string::npos)
      << result.err;
}

TEST_F(CompareCommand, ARunThatIsNotThereIsRefused) {
  const ProgramResult result = run_qaq({"compare", letter_, letter_ + "#none", "--quiet"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("/runs/none"), std::string::npos) << result.err;
  EXPECT_EQ(result.out, "");
}

}  // namespace
}  // namespace qaq
