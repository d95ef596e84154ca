// `qaq tune`: settings that meet a target on a text with a tiny model, or on a capture; what it
// prints is what the commands that it names say.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_json;
using test::run_qaq;

using Words = std::vector<std::string>;

const std::string kTiny = test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf");
const std::string kSample = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// The words of a command line that was printed, behind the program's name. No word is quoted here.
Words words_of(const std::string& line) {
  std::istringstream in(line);
  Words out;
  for (std::string word; in >> word;) out.push_back(word);
  EXPECT_EQ(out.at(0), "qaq");
  out.erase(out.begin());
  return out;
}

class TuneOnText : public testing::Test {
 protected:
  TuneOnText() {
    std::ofstream(text_)
        << "The query meets every key, and the weights of the keys mix the values. "
           "What was small stays small until a later word asks for it again. "
           "So it goes on, token by token, and the cache grows with each of them.";
  }
  Words tune(const Words& more) const {
    return with({"tune", "--model", kTiny, "--text", text_, "--window", "24", "--stride", "8"},
                more);
  }

  test::TemporaryFolder folder_;
  const std::string text_ = folder_.file("text.txt");
};

TEST_F(TuneOnText, TheCheapestUnderALossIsWhatEvaluateSays) {
  const json document = run_json(tune({"--target", "kl=1e-3", "--limit", "3"}));
  EXPECT_EQ(document["target"]["kl"], 1e-3);
  EXPECT_EQ(document["mode"], "in-the-model");
  EXPECT_EQ(document["dtype"], "f32");
  const json &tuned = document["tuned"], &checked = document["checked"];
  EXPECT_LE(tuned["kl"], 1e-3);
  EXPECT_GT(tuned["ratio_packed"].get<double>(), 1);
  EXPECT_EQ(tuned["n_positions"], 24);
  EXPECT_EQ(checked["n_positions"], 24);
  EXPECT_NE(checked["kl"], tuned["kl"]) << "another text";
  EXPECT_EQ(checked["met"], checked["kl"].get<double>() <= 1e-3);
  EXPECT_GE(document["trials"], 40);

  // The printed command on the windows that it was tuned on: the first ones of the text.
  const Words command = words_of(document["command_line"].get<std::string>());
  const json evaluated = run_json(with(command, {"--limit", "3"}));
  EXPECT_EQ(evaluated["parameters"], document["parameters"]);
  EXPECT_EQ(evaluated["metrics"]["kl_mean"], tuned["kl"]);
  EXPECT_EQ(evaluated["metrics"]["same_top"], tuned["same_top"]);
  EXPECT_EQ(evaluated["metrics"]["ratio_packed"], tuned["ratio_packed"]);
}

TEST_F(TuneOnText, ALooserTargetIsCheaperAndARatioLosesMoreTheLargerItIs) {
  const auto tuned = [&](const std::string& target) {
    return run_json(tune({"--target", target, "--limit", "2"}))["tuned"];
  };
  const json tight = tuned("kl=3e-4"), loose = tuned("kl=1e-2");
  EXPECT_LT(tight["ratio_packed"], loose["ratio_packed"]);
  EXPECT_LT(tight["kl"], loose["kl"]);
  const json little = tuned("ratio_packed=1.8"), much = tuned("ratio_packed=3");
  EXPECT_GE(little["ratio_packed"], 1.8);
  EXPECT_GE(much["ratio_packed"], 3);
  EXPECT_LT(little["kl"], much["kl"]);
  EXPECT_GE(tuned("same_top=1")["same_top"], 1);
}

TEST_F(TuneOnText, ThreadsChangeNoNumberAndWhatIsSetStays) {
  const auto on = [&](const std::string& threads) {
    json document = run_json(
        tune({"--target", "ratio_packed=2", "--limit", "1", "--set", "key.level=token", "--set",
              "n_bits_max=6", "--dtype", "f16", "--steps", "2", "--threads", threads}));
    document.erase("timing");
    return document;
  };
  const json document = on("1");
  EXPECT_EQ(document["parameters"]["key.level"], "token");
  EXPECT_NE(document["parameters"]["value.level"], "token");
  EXPECT_NE(document["command_line"].get<std::string>().find(" --dtype f16 "), std::string::npos);
  EXPECT_EQ(document["parameters"]["value.n_bits_max"], 6);
  EXPECT_EQ(on("3"), document);
}

TEST_F(TuneOnText, WhatCannotBeMetNamesTheNearest) {
  const ProgramResult result = run_qaq(
      tune({"--target", "ratio_packed=1000", "--limit", "1", "--steps", "0", "--quiet", "--json"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  for (const char* word : {"qaq: --target ratio_packed=1000: ", "nearest has ratio_packed ",
                           "qaq evaluate --model "}) {
    EXPECT_NE(result.err.find(word), std::string::npos) << word << " in " << result.err;
  }
}

TEST_F(TuneOnText, AStopIsObeyed) {
  std::ofstream text(text_, std::ios::app);
  for (int i = 0; i < 20000; ++i) text << "and so on, ";
  text.close();
  const ProgramResult result = run_qaq(tune({"--target", "kl=1e-3", "--limit", "0"}),
                                       {.signal_after_output = "load: ", .signal = SIGTERM});
  EXPECT_EQ(result.exit_code, 143) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST_F(TuneOnText, WhatItCannotDoIsRefused) {
  const auto expect = [&](const Words& words, const char* word) {
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find(word), std::string::npos) << word << " in " << result.err;
  };
  expect({"tune", "--target", "kl=1"}, "qaq tune CAPTURE.h5");
  expect({"tune", "--model", kTiny, "--target", "kl=1"}, "--text");
  expect(tune({"--target", "output_error=1"}), "same_top");
  expect(tune({"--target", "same_top=1.5"}), "1.5");
  expect(tune({"--target", "kl=small"}), "small");
  expect(tune({"--target", "kl"}), "=");
  expect({"tune", kSample, "--target", "ratio_packed=2", "--dtype", "f16"}, "--text");
  const auto windows = [&](const char* window) {
    return Words{"tune", "--model",  kTiny,  "--text",   text_, "--target",
                 "kl=1", "--window", window, "--stride", "4"};
  };
  expect(windows("4096"), "context");
  expect(windows("100"), "its half none behind a prefix of 96");
  expect(tune({"--target", "kl=1", "--set", "target_quantization_error=1"}), "leaves it no effect");
}

TEST(TuneOnCapture, TheSettingIsWhatReplaySays) {
  const json document =
      run_json({"tune", kSample, "--prefix", "40", "--rows", "24", "--target", "ratio_packed=5"});
  EXPECT_EQ(document["mode"], "batch");
  EXPECT_EQ(document["dtype"], nullptr);
  EXPECT_GE(document["tuned"]["ratio_packed"], 5);
  EXPECT_EQ(document["tuned"]["n_rows"], 24);
  EXPECT_EQ(document["tuned"]["in_sample"], false);
  EXPECT_EQ(document["checked"], nullptr);
  const json replayed = run_json(words_of(document["command_line"].get<std::string>()));
  EXPECT_EQ(replayed["metrics"]["ratio_packed"], document["tuned"]["ratio_packed"]);
  EXPECT_EQ(replayed["metrics"]["output_error"], document["tuned"]["output_error"]);
}

TEST(TuneOnCapture, OfAPresetAllStaysButTheErrorTarget) {
  const json document =
      run_json({"tune", kSample, "--preset", "paper", "--target", "output_error=0.03"});
  const json& parameters = document["parameters"];
  EXPECT_EQ(parameters["key.level"], "head");
  EXPECT_EQ(parameters["key.outliers_ratio"], 0.01);
  EXPECT_EQ(parameters["value.n_bits_max"], 4);
  EXPECT_EQ(parameters["value.range_rule"], "midpoint") << "what it does not set is tuned";
  EXPECT_NE(parameters["value.target_quantization_error"], 3.0);
  EXPECT_LE(document["tuned"]["output_error"], 0.03);
  EXPECT_EQ(document["tuned"]["in_sample"], true) << "no row behind the prefix";
}

TEST(TuneOnCapture, AnotherCaptureChecks) {
  const ProgramResult result = run_qaq({"tune", kSample, "--prefix", "40", "--steps", "1",
                                        "--check", kSample, "--target", "output_error=0.01"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* word : {"tuned", "checked", "output_error", "n_rows 24", "qaq replay "}) {
    EXPECT_NE(result.out.find(word), std::string::npos) << word << " in " << result.out;
  }
  EXPECT_EQ(result.out.find("warning"), std::string::npos) << "the same capture: " << result.out;
  EXPECT_NE(result.err.find("tune: "), std::string::npos) << result.err;
}

}  // namespace
}  // namespace qaq
