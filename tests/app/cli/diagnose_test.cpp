// `qaq diagnose`: with a model and a prompt, of a capture alone, its reports and its refusals.

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/model_fixture.h"
#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"
#include "tests/support/tiny_task.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::bytes_of_file;
using test::kTiny;
using test::ProgramResult;
using test::run_json;
using test::run_qaq;
using test::TemporaryFolder;
using test::Words;

const Words kOneBit{"--set", "use_attentions=false", "--set", "n_bits_uniform=1"};
const std::string kPrompt = "<b>Once</b> upon a time, there were 3 ships | and `one` lighthouse.";
const std::string kSample = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

Words with(Words words, const std::vector<Words>& more) {
  for (const Words& each : more) words.insert(words.end(), each.begin(), each.end());
  return words;
}

Words on_tiny(const std::vector<Words>& more) {
  return with(
      {"diagnose", "--model", kTiny, "--prompt", kPrompt, "--generate", "12", "--ignore-eos"},
      more);
}

json timeless(json document) {
  document.erase("timing");
  return document;
}

TEST(DiagnoseCommand, SaysWhatBrokeWhereAndWhy) {
  const json document = run_json(on_tiny({kOneBit}));
  EXPECT_EQ(document["mode"], "in-the-model");
  EXPECT_EQ(document["steps"].size(), 12u);
  EXPECT_EQ(document["causes"].size() >= 9, true);
  EXPECT_EQ(document["replays"][0]["stage"], "check");
  EXPECT_LT(document["exact_kl"].get<double>(), 1e-9);
  EXPECT_GE(document["n_replays"].get<int>(), 5);
  const json& step = document["steps"][document["step"].get<std::size_t>()];
  EXPECT_GT(step["kl"].get<double>(), 1e-3);
  EXPECT_EQ(step["position"].get<int>() >= document["prompt_tokens"].get<int>(), true);
  for (const json& cause : document["causes"]) {
    const bool confirmed = cause["verdict"] == "confirmed";
    EXPECT_EQ(confirmed,
              confirmed && cause["top_restored"].get<bool>() &&
                  cause["kl_after"].get<double>() < 0.5 * cause["kl_before"].get<double>())
        << cause;
  }
  EXPECT_EQ(timeless(document), timeless(run_json(on_tiny({kOneBit, {"--threads", "1"}}))));
}

TEST(DiagnoseCommand, HeadsAreReplayedWhereTheyAreAskedFor) {
  EXPECT_FALSE(run_json(on_tiny({kOneBit})).contains("head_kl"));
  const json document = run_json(on_tiny({kOneBit, {"--heads"}}));
  const json& step = document["steps"][document["step"].get<std::size_t>()];
  const bool both = document["side"].is_null();
  ASSERT_EQ(document["head_kl"].size(), both ? 2u : 1u);
  for (const auto& [side, layers] : document["head_kl"].items()) {
    EXPECT_TRUE(both || document["side"] == side);
    ASSERT_EQ(layers.size(), 3u);
    for (const json& heads : layers) {
      ASSERT_EQ(heads.size(), 2u);
      for (const json& kl : heads) EXPECT_NE(kl.get<double>(), step["kl"].get<double>());
    }
  }
  // There is no place to blame where nothing broke.
  EXPECT_FALSE(
      run_json(on_tiny({{"--set", "level=no-quantization"}, {"--heads"}})).contains("head_kl"));
}

TEST(DiagnoseCommand, WithoutQuantizationNothingBroke) {
  const json document = run_json(on_tiny({{"--set", "level=no-quantization"}}));
  EXPECT_EQ(document["outcome"], "nothing broke");
  EXPECT_EQ(document["n_replays"], 2);
  EXPECT_EQ(document["own_text_parts"], nullptr);
}

TEST(DiagnoseCommand, AContinuationIsGivenToBothCaches) {
  const json document =
      run_json({"diagnose", "--model", kTiny, "--prompt", kPrompt, "--continuation", " And then",
                "--set", "use_attentions=false", "--set", "n_bits_uniform=1", "--step", "1"});
  const json ids = run_json({"tokenize", "--model", kTiny, "--text", " And then"})["ids"];
  ASSERT_EQ(document["steps"].size(), ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(document["steps"][i]["token"], ids[i]);
  EXPECT_EQ(document["step"], 1);
  EXPECT_EQ(document["why_step"], "asked for");
}

TEST(DiagnoseCommand, WritesReportsThatNeedNothingElse) {
  const TemporaryFolder folder;
  const std::string html = folder.file("page.html"), markdown = folder.file("why.md");
  for (const std::string& path : {html, markdown}) {
    const ProgramResult result = run_qaq(on_tiny({kOneBit, {"-o", path, "--quiet"}}));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("where:"), std::string::npos);
  }
  const std::string page = bytes_of_file(html), text = bytes_of_file(markdown);
  EXPECT_EQ(page.find("<b>"), std::string::npos) << "the prompt's tags are text";
  EXPECT_NE(page.find("&lt;b&gt;Once&lt;/b&gt;"), std::string::npos);
  EXPECT_NE(text.find("    " + kPrompt), std::string::npos);
  for (const std::string& part : {page, text}) {
    for (const char* heading :
         {"Prompt", "Settings", "What broke", "Where", "Why", "Replays", "The same again"}) {
      EXPECT_NE(part.find(heading), std::string::npos) << heading;
    }
    EXPECT_NE(part.find("n_bits_uniform"), std::string::npos);
    EXPECT_NE(part.find("qaq diagnose --model"), std::string::npos);
    EXPECT_EQ(part.find(folder.path().string()), std::string::npos) << "no folder is named";
  }
#ifdef QAQ_HAS_SCOPE
  EXPECT_NE(page.find("data:image/png;base64,iVBOR"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder.file("why-what.png")));
  EXPECT_FALSE(std::filesystem::exists(folder.file("page-what.png"))) << "it is embedded";
#else
  EXPECT_NE(page.find("no figure"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder.file("why-what.json")));
#endif
}

TEST(DiagnoseCommand, ACaptureAloneIsRankedAndSaysSo) {
  const json document = run_json({"diagnose", kSample, "--set", "n_bits_max=2", "--prefix", "40"});
  EXPECT_EQ(document["mode"], "batch");
  EXPECT_EQ(document["needs_model"], (json{"kl", "flips", "causes"}));
  double last = 1e300;
  for (const json& head : document["heads"]) {
    EXPECT_LE(head["output_error"].get<double>(), last);
    last = head["output_error"].get<double>();
  }
  const json replay = run_json({"replay", kSample, "--set", "n_bits_max=2", "--prefix", "40"});
  double sum = 0;
  for (const json& head : document["heads"]) sum += head["output_error"].get<double>();
  EXPECT_NEAR(sum / static_cast<double>(document["heads"].size()),
              replay["metrics"]["output_error"].get<double>(), 1e-6);
  EXPECT_EQ(document["cells"].size(), 20u);
  EXPECT_GE(document["position"].get<int>(), 40);
  const ProgramResult text = run_qaq({"diagnose", kSample, "--set", "n_bits_max=2", "--quiet"});
  EXPECT_NE(text.out.find("need --model"), std::string::npos);
}

TEST(DiagnoseCommand, RefusesWhatMakesNoSense) {
  const auto expect = [](const Words& words, int code, const std::string& says) {
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(says), std::string::npos) << result.err;
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
  };
  expect({"diagnose"}, 2, "nothing to diagnose");
  expect({"diagnose", kSample, "--model", kTiny, "--prompt", "a"}, 2, "not both");
  expect({"diagnose", "--model", kTiny}, 2, "needs a prompt");
  expect({"diagnose", kSample, "-o", "why.html"}, 2, "needs a model");
  expect({"diagnose", kSample, "--heads"}, 2, "needs a model");
  expect(on_tiny({{"-o", "why.pdf", "--quiet"}}), 2, ".html nor .md");
  expect(on_tiny({{"--prefix", "3", "--quiet"}}), 2, "the prompt is the prefix");
  expect(on_tiny({{"--step", "12", "--quiet"}}), 2, "out of range");
  expect({"diagnose", "--model", kTiny, "--prompt", "a", "--prompt-file", "b"}, 2, "");
}

TEST(DiagnoseCommand, EndsInOrderWhenInterrupted) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const TemporaryFolder folder;
  const ProgramResult result = run_qaq({"diagnose", "--model", path, "--prompt", kPrompt, "--set",
                                        "n_bits_max=1", "-o", folder.file("why.html")},
                                       {.signal_after_output = "load: 30", .signal = SIGINT});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(DiagnoseCommand, TheRealModelAtOneBit) {
  QAQ_SMOLLM2_OR_SKIP(path);
  const json document = run_json(
      {"diagnose", "--model", path, "--generate", "8", "--set", "n_bits_max=1", "--prompt",
       "Name: Ada, city: London, born: 1815\nName: Alan, city: London, born: 1912\nName: Grace, "
       "city: New York, born: 1906\nName: Emmy, city: Erlangen, born: 1882\nThe person from "
       "Erlangen is called"});
  EXPECT_EQ(document["outcome"], "explained");
  EXPECT_NE(document["causes"][0]["title"].get<std::string>().find("bits clamped too low"),
            std::string::npos);
  EXPECT_EQ(document["steps"][document["step"].get<std::size_t>()]["verdict"], "diverged");
}

}  // namespace
}  // namespace qaq
