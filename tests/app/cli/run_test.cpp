// `qaq run`: the text as it comes, how it is sampled and where it ends, and chats.

#include <algorithm>
#include <csignal>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/support/gguf_builder.h"
#include "tests/support/model_fixture.h"
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

const std::string kTiny = test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf");

std::vector<std::string> run_tiny(std::vector<std::string> flags) {
  std::vector<std::string> words{"run", "--model", kTiny, "--prompt", "The query meets every key"};
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

json ids_of(const std::vector<std::string>& flags) { return run_json(run_tiny(flags))["ids"]; }

TEST(Run, PrintsTheTextAndHowFastItCame) {
  const ProgramResult result = run_qaq(run_tiny({"--generate", "12", "--ignore-eos"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const json document = run_json(run_tiny({"--generate", "12", "--ignore-eos"}));
  EXPECT_EQ(result.out, document["text"].get<std::string>() + "\n");
  EXPECT_NE(result.err.find("12 generated, "), std::string::npos) << result.err;
  EXPECT_NE(result.err.find(" tokens/s"), std::string::npos) << result.err;
  EXPECT_EQ(document["ids"].size(), 12u);
  EXPECT_EQ(document["generated_tokens"], 12);
  EXPECT_EQ(document["prompt"], "The query meets every key");
  EXPECT_GT(document["decode_tokens_per_second"].get<double>(), 0);
  for (const char* part : {"load", "prefill", "decode", "total"}) {
    EXPECT_GE(document["timing"][part].get<double>(), 0) << part;
  }
}

TEST(Run, QuietlyPrintsTheTextAlone) {
  const ProgramResult result = run_qaq(run_tiny({"--generate", "3", "--ignore-eos", "--quiet"}));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
}

TEST(Run, GeneratesWhatCaptureGenerates) {
  const TemporaryFolder folder;
  const std::vector<std::string> flags{"--generate", "8",  "--temperature", "1.5", "--top-k", "20",
                                       "--seed",     "11", "--ignore-eos"};
  auto capture = run_tiny(flags);
  capture[0] = "capture";
  capture.insert(capture.end(), {"-o", folder.file("story.h5")});
  const json made = run_json(capture);
  EXPECT_EQ(made["generated_text"], run_json(run_tiny(flags))["text"]);
  const json provenance = run_json({"info", folder.file("story.h5")})["provenance"];
  EXPECT_EQ(provenance["generation"]["sampling"],
            json::parse(R"({"temperature": 1.5, "top_k": 20, "top_p": 1, "seed": 11})"));
  EXPECT_EQ(provenance["generation"]["device"], "cpu");
  EXPECT_EQ(provenance["backend"], "cpu");
  EXPECT_NE(provenance["device"], "");
}

TEST(Run, TheSeedDecidesASampledText) {
  const auto sampled = [](const std::string& seed) {
    return ids_of({"--generate", "12", "--ignore-eos", "--temperature", "2", "--seed", seed});
  };
  EXPECT_EQ(sampled("5"), sampled("5"));
  EXPECT_EQ((std::set<json>{sampled("1"), sampled("2"), sampled("3")}).size(), 3u);
}

TEST(Run, CutToOneTokenItIsGreedy) {
  const json greedy = ids_of({"--generate", "12", "--ignore-eos"});
  const std::vector<std::string> hot{"--generate", "12", "--ignore-eos", "--temperature", "3"};
  for (const std::vector<std::string>& cut :
       {std::vector<std::string>{"--top-k", "1"}, std::vector<std::string>{"--top-p", "1e-9"}}) {
    auto flags = hot;
    flags.insert(flags.end(), cut.begin(), cut.end());
    EXPECT_EQ(ids_of(flags), greedy) << cut[0];
  }
}

TEST(Run, EndsBeforeAStopId) {
  const json greedy = ids_of({"--generate", "12", "--ignore-eos"});
  const json& stop = greedy[5];
  const auto first = std::ranges::find(greedy, stop) - greedy.begin();
  const json stopped = ids_of({"--generate", "12", "--ignore-eos", "--stop", "0", stop.dump()});
  EXPECT_EQ(stopped, json(std::vector<json>(greedy.begin(), greedy.begin() + first)));
}

TEST(Run, WeightsDequantizedOnceGiveTheSameText) {
  EXPECT_EQ(ids_of({"--generate", "12", "--ignore-eos", "--weights", "f32"}),
            ids_of({"--generate", "12", "--ignore-eos", "--weights", "stored"}));
}

TEST(Run, NothingToGenerateIsAnEmptyLine) {
  const ProgramResult result = run_qaq(run_tiny({"--generate", "0"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out, "\n");
}

const std::vector<std::string> kSixteen{"--generate", "16", "--ignore-eos"};

std::vector<std::string> sixteen(std::vector<std::string> more) {
  more.insert(more.begin(), kSixteen.begin(), kSixteen.end());
  return run_tiny(std::move(more));
}

TEST(Run, WithoutAPolicyAllStaysAsItWas) {
  const auto plain = run_json(sixteen({}));
  EXPECT_FALSE(plain.contains("cache"));
  auto none = run_json(sixteen({"--policy", "none"}));
  for (const char* timed : {"timing", "prefill_tokens_per_second", "decode_tokens_per_second"}) {
    none[timed] = plain[timed];
  }
  EXPECT_EQ(none, plain);
  const ProgramResult text = run_qaq(sixteen({"--policy", "none"}));
  EXPECT_EQ(text.out, plain["text"].get<std::string>() + "\n");
  EXPECT_EQ(text.err.find("cache"), std::string::npos) << text.err;
}

TEST(Run, APolicyThatKeepsAllChangesNothing) {
  const json plain = run_json(sixteen({}));
  const json exact = run_json(sixteen({"--policy", "qaq", "--set", "level=no-quantization"}));
  EXPECT_EQ(exact["ids"], plain["ids"]);
  EXPECT_EQ(exact["text"], plain["text"]);
  const json& cache = exact["cache"];
  EXPECT_EQ(cache["final_resident_bytes"], cache["full_bytes"]);
  EXPECT_EQ(cache["unquantized_bytes"], cache["full_bytes"]);
}

TEST(Run, DecodesOnAQuantizedCacheAndTellsWhatBecameOfIt) {
  const json document =
      run_json(sixteen({"--policy", "qaq", "--set", "target_quantization_error=0.1", "--set",
                        "outliers_ratio=0", "--set", "n_bits_max=7"}));
  EXPECT_EQ(document["generated_tokens"], 16);
  const json& cache = document["cache"];
  EXPECT_EQ(cache["policy"], "qaq");
  EXPECT_EQ(cache["dtype"], "f32");
  EXPECT_EQ(cache["parameters"]["loop"], "closed");
  EXPECT_EQ(cache["parameters"]["value.n_bits_max"], 7);
  EXPECT_EQ(cache["steps"], 15);  // nobody would see what the last token leads to
  EXPECT_EQ(cache["prefill"]["tokens"], document["prompt_tokens"]);
  EXPECT_GT(cache["value"]["promotions"], 0);
  EXPECT_EQ(cache["key"]["packed_bytes"]["outlier_values"], 0);
  EXPECT_EQ(cache["final_resident_bytes"].get<std::int64_t>(),
            cache["key"]["packed_bytes"]["total"].get<std::int64_t>() +
                cache["value"]["packed_bytes"]["total"].get<std::int64_t>() +
                cache["unquantized_bytes"].get<std::int64_t>());
  EXPECT_LT(cache["final_resident_bytes"], cache["full_bytes"]);
  const double share = cache["quantizing_share"];
  EXPECT_GT(share, 0);
  EXPECT_LT(share, 1);
  // The same command, the same text; on any number of threads.
  EXPECT_EQ(
      run_json(sixteen({"--policy", "qaq", "--set", "target_quantization_error=0.1", "--set",
                        "outliers_ratio=0", "--set", "n_bits_max=7", "--threads", "3"}))["ids"],
      document["ids"]);
}

TEST(Run, TellsPeopleWhatBecameOfTheCache) {
  const ProgramResult result =
      run_qaq(sixteen({"--policy", "qaq", "--preset", "paper", "--dtype", "f16"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* told : {" tokens/s", "cache, quantized by qaq: ", "bits, mean: key ", "payload ",
                           "outlier values ", "unquantized ", " promotions, ",
                           "over the link: ", "by the link model ", "% of the steps' time"}) {
    EXPECT_NE(result.err.find(told), std::string::npos) << told << " in " << result.err;
  }
  EXPECT_EQ(run_qaq(sixteen({"--policy", "qaq", "--quiet"})).err, "");
  const ProgramResult evicting = run_qaq(sixteen({"--policy", "h2o"}));
  EXPECT_NE(evicting.err.find("bits, mean: key exact, value exact"), std::string::npos)
      << evicting.err;
}

TEST(Run, RefusesParametersThatMakeNoSenseHere) {
  const auto refused = [](std::vector<std::string> more, const std::string& cure) {
    const ProgramResult result = run_qaq(sixteen(std::move(more)));
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_NE(result.err.find(cure), std::string::npos) << result.err;
  };
  refused({"--set", "level=layer"}, "add --policy qaq");
  refused({"--preset", "paper"}, "add --policy qaq");
  refused({"--policy", "qaq", "--set", "loop=open"}, "qaq replay --streaming");
  refused({"--policy", "qaq", "--set", "promote_hysteresi=1"}, "promote_hysteresis");
  refused({"--policy", "qaq", "--set", "n_bits_min=9"}, "n_bits_m");
  refused({"--policy", "kiwi"}, "--policy");
  refused({"--dtype", "f16"}, "--device cuda");
}

TEST(Run, AChatNeedsATemplateThatIsKnown) {
  const TemporaryFolder folder;
  const std::string model = folder.file("model.gguf");
  const auto refusal = [&](const std::string& path) {
    const ProgramResult result =
        run_qaq({"run", "--model", path, "--prompt", "a", "--generate", "1", "--chat"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    return result.err;
  };
  EXPECT_NE(refusal(kTiny).find("no chat template"), std::string::npos);
  test::GgufBuilder::tiny_llama()
      .set("tokenizer.chat_template", std::string("{{ messages[0]['content'] }}"))
      .write(model);
  EXPECT_NE(refusal(model).find("ChatML"), std::string::npos) << refusal(model);
}

TEST(Run, ADoubledBeginningTokenIsWarnedOf) {
  const TemporaryFolder folder;
  const std::string model = folder.file("model.gguf");
  test::GgufBuilder::tiny_llama()
      .set("tokenizer.ggml.add_bos_token", true)
      .set("tokenizer.ggml.bos_token_id", std::uint32_t{0})
      .write(model);
  const auto run = [&](const std::string& prompt) {
    return run_qaq({"run", "--model", model, "--prompt", prompt, "--generate", "1", "--quiet"});
  };
  EXPECT_EQ(run("ab").err, "");
  const ProgramResult doubled = run("<|endoftext|>ab");
  EXPECT_EQ(doubled.exit_code, 0) << doubled.err;
  EXPECT_NE(doubled.err.find("twice"), std::string::npos) << doubled.err;
}

json greedy_case(const std::string& name) {
  const json greedy = test::test_data_json("oracle/greedy.json");
  for (const json& one : greedy["cases"]) {
    if (one["name"] == name) return one;
  }
  throw std::runtime_error("no case " + name);
}

TEST(Run, AChatWithTheRealModelEndsWhereItsReferenceDoes) {
  QAQ_SMOLLM2_OR_SKIP(model);
  const json reference = greedy_case("chat");
  const json document =
      run_json({"run", "--model", model, "--chat", "--system", "You answer briefly.", "--prompt",
                "Name three things that float on water."});
  EXPECT_EQ(document["prompt"], reference["prompt"]);
  EXPECT_EQ(document["prompt_tokens"], reference["prompt_ids"].size());
  const json& ids = reference["oracle_ids"];
  const auto end = ids.begin() + reference["end_of_text_steps"][0].get<int>();
  EXPECT_EQ(document["ids"], json(std::vector<json>(ids.begin(), end)));
  const auto text = reference["oracle_text"].get<std::string>();
  EXPECT_EQ(document["text"], text.substr(0, text.find("<|im_end|>")));
}

TEST(Run, KeepsWhatItPrintedWhenInterrupted) {
  QAQ_SMOLLM2_OR_SKIP(model);  // a model that is slow enough to be interrupted
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    const ProgramResult result =
        run_qaq({"run", "--model", model, "--prompt", greedy_case("narrative")["prompt"],
                 "--generate", "4000", "--ignore-eos"},
                {.signal_after_output = "read it again", .signal = signal});
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_TRUE(result.out.starts_with(". He read it again")) << result.out;
    EXPECT_TRUE(result.out.ends_with('\n'));
    EXPECT_NE(result.err.find("interrupted"), std::string::npos) << result.err;
  }
}

}  // namespace
}  // namespace qaq
