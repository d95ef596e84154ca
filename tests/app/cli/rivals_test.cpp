// `qaq replay --policy`: QAQ's rivals from the command line.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::run_json;
using test::run_qaq;

const std::string kCapture = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

TEST(RivalCommand, ReplaysEachPolicyWithItsOwnParameters) {
  const json kivi = run_json({"replay", kCapture, "--policy", "kivi", "--set", "group_size=32",
                              "--set", "residual_length=32"});
  EXPECT_EQ(kivi["policy"], "kivi");
  EXPECT_EQ(kivi["parameters"],
            (json{{"k_bits", 2}, {"v_bits", 2}, {"group_size", 32}, {"residual_length", 32}}));
  // 64 tokens: all keys, half of the values.
  EXPECT_EQ(kivi["metrics"]["key_mean_bits"], 2);
  EXPECT_EQ(kivi["metrics"]["value_mean_bits"], 9);
  EXPECT_TRUE(kivi["violations"].is_null());
  const json q8 = run_json({"replay", kCapture, "--policy", "q8_0"});
  const json q4 = run_json({"replay", kCapture, "--policy", "q4_0"});
  EXPECT_LT(q8["metrics"]["output_error"], q4["metrics"]["output_error"]);
  const json turned =
      run_json({"replay", kCapture, "--policy", "q4_0", "--set", "rotate=hadamard"});
  EXPECT_EQ(turned["metrics"]["key_packed_bytes"], q4["metrics"]["key_packed_bytes"]);
  EXPECT_LT(turned["metrics"]["key_quantization_error"], q4["metrics"]["key_quantization_error"])
      << "keys have channels of their own size, which blocks share a scale with";
  const auto text = run_qaq({"replay", kCapture, "--policy", "uniform", "--set", "key.bits=8"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("packed bytes"), std::string::npos);
  const auto help = run_qaq({"replay", "--help"});
  for (const char* name : {"--policy uniform", "--policy kivi", "residual_length = 128"}) {
    EXPECT_NE(help.out.find(name), std::string::npos) << name;
  }
}

TEST(RivalCommand, SaysWhatIsOfQaqAlone) {
  const test::TemporaryFolder folder;
  const auto refused = [&](std::vector<std::string> words, const std::string& place) {
    words.insert(words.end(), {"--policy", "kivi"});
    const auto result = run_qaq(words);
    EXPECT_EQ(result.exit_code, 2) << place;
    EXPECT_NE(result.err.find(place), std::string::npos) << result.err;
    EXPECT_TRUE(result.out.empty());
  };
  refused({"replay", kCapture, "--check-bound"}, "--check-bound is not there for kivi yet");
  refused({"replay", kCapture, "--save", "a"}, "--save is not there for kivi yet");
  refused({"replay", kCapture, "--save-packed", folder.file("a.qkv")}, "--save-packed");
  refused({"replay", kCapture, "--streaming"}, "--streaming");
  refused({"replay", kCapture, "--preset", "paper"}, "holds parameters of QAQ");
  refused({"replay", kCapture, "--set", "n_bits_max=4"}, "n_bits_max");
  refused({"explain", kCapture, "--cell", "key,0,0,0"}, "qaq explain");
  refused({"export", kCapture, "--what", "bits", "-o", folder.file("a.csv")}, "qaq export");
  refused({"diagnose", kCapture}, "qaq diagnose");
  EXPECT_EQ(run_qaq({"replay", kCapture, "--policy", "kiwi"}).exit_code, 2);
}

}  // namespace
}  // namespace qaq
