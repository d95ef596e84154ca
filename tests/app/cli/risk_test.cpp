// `qaq risk`: the same ranking in every form, and what it refuses.

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_json;
using test::run_qaq;
using test::TemporaryFolder;

const std::string kSample = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

json of_statistic(const json& document, const std::string& damage, const std::string& name) {
  const json& all = document["correlations"][damage];
  return *std::ranges::find(all, name,
                            [](const json& each) { return each["statistic"].get<std::string>(); });
}

TEST(RiskCommand, HeadsAreRankedAndTheirDamageIsTheReplays) {
  const json document = run_json({"risk", kSample, "--set", "n_bits_max=2", "--prefix", "40"});
  EXPECT_EQ(document["schema_version"], 1);
  EXPECT_EQ(document["prefix"], 40);
  EXPECT_EQ(document["parameters"]["value.n_bits_max"], 2);
  const std::string by = document["by"];
  ASSERT_EQ(document["heads"].size(), 90u);
  double last = 1e300, sum = 0;
  for (const json& head : document["heads"]) {
    EXPECT_LE(head["statistics"][by].get<double>(), last);
    last = head["statistics"][by].get<double>();
    sum += head["damage"]["output_error"].get<double>();
  }
  const json replay = run_json({"replay", kSample, "--set", "n_bits_max=2", "--prefix", "40"});
  const double mean = replay["metrics"]["output_error"];
  EXPECT_NEAR(sum / 90, mean, 1e-5 * mean);
  // The default is worth its name on a text that it was not chosen on.
  const json best = of_statistic(document, "output_error", by);
  EXPECT_EQ(best["n"], 90);
  EXPECT_EQ(best["verdict"], "predicts");
}

TEST(RiskCommand, AnotherStatisticRanksAnew) {
  const json document = run_json({"risk", kSample, "--by", "key_bias"});
  EXPECT_EQ(document["by"], "key_bias");
  double last = 1e300;
  for (const json& head : document["heads"]) {
    EXPECT_LE(head["statistics"]["key_bias"].get<double>(), last);
    last = head["statistics"]["key_bias"].get<double>();
  }
}

TEST(RiskCommand, EveryFormSaysTheSame) {
  const json document = run_json({"risk", kSample, "--by", "sink_mass"});
  const json& first = document["heads"][0];
  const std::string cells = "1," + first["layer"].dump() + "," + first["kv_head"].dump() + ",";
  const ProgramResult csv = run_qaq({"risk", kSample, "--by", "sink_mass", "--csv", "--quiet"});
  EXPECT_EQ(csv.exit_code, 0) << csv.err;
  EXPECT_EQ(std::ranges::count(csv.out, '\n'), 91);
  EXPECT_TRUE(csv.out.starts_with("rank,layer,kv_head,sink_mass [1],")) << csv.out;
  EXPECT_NE(csv.out.find("\n" + cells), std::string::npos);
  const ProgramResult page =
      run_qaq({"risk", kSample, "--by", "sink_mass", "--markdown", "--quiet"});
  EXPECT_NE(page.out.find("| damage | statistic | riskiest | rho |"), std::string::npos)
      << page.out;
  EXPECT_NE(page.out.find("\n| 1 | " + first["layer"].dump() + " | " + first["kv_head"].dump()),
            std::string::npos);
  const ProgramResult text =
      run_qaq({"risk", kSample, "--by", "sink_mass", "--top", "3", "--quiet"});
  EXPECT_NE(text.out.find("90 KV heads by sink_mass, largest first"), std::string::npos)
      << text.out;
  EXPECT_NE(text.out.find("rank correlation with output_error"), std::string::npos);
  EXPECT_EQ(std::ranges::count(text.out, '\n'),
            2 + 3 + 2 + std::ssize(document["correlations"]["output_error"]));
}

TEST(RiskCommand, ThreadsDoNotMatter) {
  const auto out = [](const char* threads) {
    return run_qaq({"risk", kSample, "--csv", "--quiet", "--threads", threads}).out;
  };
  EXPECT_EQ(out("1"), out("3"));
}

TEST(RiskCommand, ARivalsDamageIsRankedToo) {
  const json document = run_json({"risk", kSample, "--policy", "kivi", "--set", "k_bits=2"});
  EXPECT_EQ(document["policy"], "kivi");
  EXPECT_EQ(document["parameters"]["k_bits"], 2);
  const ProgramResult refused =
      run_qaq({"risk", kSample, "--policy", "kivi", "--model", "smollm2-135m", "--quiet"});
  EXPECT_EQ(refused.exit_code, 2);
}

TEST(RiskCommand, AModelMeasuresKlHeadByHead) {
  const TemporaryFolder folder;
  const std::string model = test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf");
  const std::string capture = folder.file("tiny.h5");
  run_json({"capture", "--model", model, "--prompt",
            "The query meets every key that came before it", "--generate", "8", "--ignore-eos",
            "-o", capture});
  const json document = run_json({"risk", capture, "--model", model, "--set", "n_bits_max=1"});
  ASSERT_EQ(document["damages"].size(), 2u);
  EXPECT_EQ(document["damages"][0]["mode"], "batch");
  EXPECT_EQ(document["damages"][1]["name"], "kl");
  EXPECT_EQ(document["damages"][1]["mode"], "in-the-model");
  EXPECT_FALSE(document["in_sample"]) << "what was generated met a cache of the prompt";
  for (const json& head : document["heads"]) EXPECT_GT(head["damage"]["kl"].get<double>(), 0);
  // Six heads are too few to claim anything of.
  for (const json& each : document["correlations"]["kl"]) {
    EXPECT_NE(each["verdict"], "predicts") << each;
  }
  const ProgramResult none =
      run_qaq({"risk", capture, "--model", model, "--prefix", "10000", "--quiet"});
  EXPECT_NE(none.exit_code, 0);
  const ProgramResult other =
      run_qaq({"risk", capture, "--model", test::test_data_path("oracle/tiny_qwen2"), "--quiet"});
  EXPECT_EQ(other.exit_code, 3);
  EXPECT_NE(other.err.find("is not the model that tiny.h5 is of"), std::string::npos) << other.err;
}

TEST(RiskCommand, AFigureIsDrawn) {
  const TemporaryFolder folder;
  const std::string picture = folder.file("risk.svg");
  const ProgramResult result = run_qaq({"risk", kSample, "--figure", picture});
  EXPECT_EQ(result.exit_code, 0) << result.err;
#ifdef QAQ_HAS_SCOPE
  EXPECT_EQ(folder.names(), std::vector<std::string>{"risk.svg"}) << result.err;
#else
  EXPECT_EQ(folder.names(), std::vector<std::string>{"risk.svg.json"});
  EXPECT_NE(result.err.find("no figure"), std::string::npos);
#endif
}

TEST(RiskCommand, WrongUsageIsRefused) {
  const auto refused = [](std::vector<std::string> words, const std::string& why) {
    words.insert(words.begin(), {"risk", kSample, "--quiet"});
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find(why), std::string::npos) << result.err;
  };
  refused({"--by", "key_bais"}, "did you mean 'key_bias'?");
  refused({"--json", "--csv"}, "one format");
  refused({"--csv", "--markdown"}, "--csv");
  refused({"--figure", kSample}, "is the capture itself");
  refused({"--figure", "risk.txt"}, "end it in .svg, .png or .pdf");
  refused({"--model", "smollm2-135m"}, "give --prefix below 64");
  refused({"--by", "sink_mass", "--prefix", "3"}, "do not tell sink_mass");
}

}  // namespace
}  // namespace qaq
