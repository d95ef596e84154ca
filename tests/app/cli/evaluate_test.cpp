// `qaq evaluate`: questions, texts and prompts on a quantized cache, a second setting, and going on
// where a run was cut off.

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/model_fixture.h"
#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"
#include "tests/support/tiny_task.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::bytes_of_file;
using test::kTask;
using test::kTiny;
using test::ProgramResult;
using test::run_json;
using test::run_qaq;
using test::TemporaryFolder;
using test::Words;

const Words kCoarse{"--set", "use_attentions=false", "--set", "n_bits_uniform=2"};
const Words kExact{"--set", "level=no-quantization"};

Words with(Words words, const std::vector<Words>& more) {
  for (const Words& each : more) words.insert(words.end(), each.begin(), each.end());
  return words;
}

Words on_task(const std::vector<Words>& more, const std::string& task = kTask) {
  return with({"evaluate", "--model", kTiny, "--task", task}, more);
}

// A document without what time does to it.
json timeless(json document) {
  document.erase("timing");
  document.erase("cost");
  if (document.contains("against")) document["against"].erase("cost");
  return document;
}

TEST(Evaluate, WithoutQuantizationNothingChanges) {
  const json document = run_json(on_task({kExact}));
  const json& metrics = document["metrics"];
  EXPECT_EQ(document["n_questions"], 9);
  EXPECT_EQ(document["mode"], "in-the-model");
  EXPECT_EQ(metrics["accuracy"], document["reference"]["accuracy"]);
  EXPECT_EQ(metrics["answer_log_probability"], document["reference"]["answer_log_probability"]);
  EXPECT_EQ(metrics["kl_max"], 0.0);
  EXPECT_EQ(metrics["same_top"], 1.0);
  EXPECT_EQ(metrics["attention_error"], 0.0);
  EXPECT_EQ(metrics["logit_error"], 0.0);
  EXPECT_EQ(metrics["average_n_bits"], 16.0);
  EXPECT_EQ(metrics["ratio_packed"], 0.5) << "exact float32 against 16 bits a value";
  EXPECT_EQ(document["against_none"]["mcnemar_p"], 1.0);
}

TEST(Evaluate, AccuracyComesWithItsIntervalsAndCost) {
  const json document = run_json(on_task({kCoarse}));
  const json& metrics = document["metrics"];
  const double accuracy = metrics["accuracy"], n_right = metrics["n_right"];
  EXPECT_DOUBLE_EQ(accuracy, n_right / 9);
  EXPECT_DOUBLE_EQ(metrics["accuracy_confidence"], 1.96 * std::sqrt(accuracy * (1 - accuracy) / 9));
  EXPECT_LE(metrics["accuracy_wilson_95"][0], accuracy);
  EXPECT_GE(metrics["accuracy_wilson_95"][1], accuracy);
  EXPECT_GT(metrics["kl_mean"].get<double>(), 0);
  EXPECT_GE(metrics["kl_max"], metrics["kl_p99"]);
  EXPECT_GE(metrics["kl_p99"], metrics["kl_median"]);
  EXPECT_DOUBLE_EQ(metrics["key_average_n_bits"], 0.99 * 2 + 0.16);
  EXPECT_GT(document["cost"]["ratio"].get<double>(), 0);
  const ProgramResult text = run_qaq(on_task({kCoarse}));
  EXPECT_EQ(text.exit_code, 0) << text.err;
  for (const char* word :
       {"9 questions", "Wilson", "McNemar", "packed", "same top", "quantizing"}) {
    EXPECT_NE(text.out.find(word), std::string::npos) << word << " in " << text.out;
  }
  EXPECT_NE(text.err.find("evaluate: 9 questions"), std::string::npos) << text.err;
}

TEST(Evaluate, ThreadsChangeNoNumber) {
  EXPECT_EQ(timeless(run_json(on_task({kCoarse, {"--threads", "1"}}))),
            timeless(run_json(on_task({kCoarse, {"--threads", "3"}}))));
}

TEST(Evaluate, TwoSettingsMeetOnTheSameQuestions) {
  const json alone = run_json(on_task({kCoarse}));
  const json both = run_json(on_task({kCoarse, {"--against-set", "value.n_bits_uniform=6"}}));
  EXPECT_EQ(both["metrics"], alone["metrics"]);
  EXPECT_EQ(both["against"]["parameters"]["key.n_bits_uniform"], 2)
      << "on top of the first setting";
  EXPECT_EQ(both["against"]["parameters"]["value.n_bits_uniform"], 6);
  int n = 0;
  for (const char* cell : {"both", "only_first", "only_second", "neither"}) {
    n += both["paired"][cell].get<int>();
  }
  EXPECT_EQ(n, 9);
  const json preset = run_json(on_task({kCoarse, {"--against", "paper"}}));
  EXPECT_EQ(preset["against"]["parameters"]["key.n_bits_max"], 4);
  EXPECT_EQ(preset["against"]["parameters"]["key.use_attentions"], true);
}

TEST(Evaluate, ASeedDrawsTheQuestionsThatPythonDraws) {
  // random.seed(42); random.sample(range(9), 3) == [1, 0, 5]
  const TemporaryFolder folder;
  std::istringstream lines(bytes_of_file(kTask));
  Words all(9);
  for (std::string& line : all) std::getline(lines, line);
  std::ofstream(folder.file("drawn.jsonl")) << all[1] << "\n" << all[0] << "\n" << all[5] << "\n";
  const json drawn = run_json(on_task({kCoarse, {"--limit", "3", "--seed", "42"}}));
  const json same = run_json(on_task({kCoarse}, folder.file("drawn.jsonl")));
  EXPECT_EQ(drawn["metrics"], same["metrics"]);
  EXPECT_EQ(drawn["seed"], 42);
  EXPECT_EQ(same["seed"], nullptr);
  EXPECT_NE(run_json(on_task({kCoarse, {"--limit", "3"}}))["metrics"], drawn["metrics"]);
  // Finished items of one draw are none of another's.
  const std::string log = folder.file("items.jsonl");
  run_json(on_task({kCoarse, {"--limit", "3", "--seed", "42", "--resume", log}}));
  const ProgramResult other =
      run_qaq(on_task({kCoarse, {"--limit", "3", "--seed", "43", "--resume", log}}));
  EXPECT_EQ(other.exit_code, 3);
  EXPECT_NE(other.err.find("made_with/seed"), std::string::npos) << other.err;
  EXPECT_EQ(run_qaq({"evaluate", "--model", kTiny, "--text", kTask, "--seed", "1"}).exit_code, 2);
}

// The same setting on the same tokens costs and loses the same, whether a model is run on the
// quantized cache or a capture of it is replayed.
TEST(Evaluate, TheCacheIsThatOfAReplay) {
  const TemporaryFolder folder;
  const std::string text = folder.file("text.txt"), prefix = folder.file("prefix.json"),
                    capture = folder.file("prefix.h5");
  std::ofstream(text) << "A capture holds what a run of the model did, and a replay quantizes it.";
  const json ids = run_json({"tokenize", "--model", kTiny, "--file", text})["ids"];
  constexpr std::size_t kPrefix = 30;
  ASSERT_GT(ids.size(), kPrefix + 10);
  std::ofstream(prefix) << json(std::vector<json>(ids.begin(), ids.begin() + kPrefix));
  const Words setting{"--preset", "paper", "--set", "outliers_ratio=0.2"};
  double wide = 0;
  for (const char* dtype : {"f32", "f16", "bf16"}) {
    run_json({"capture", "--model", kTiny, "--tokens", prefix, "--attention", "derive", "--dtype",
              dtype, "-o", capture});
    const json replayed = run_json(with({"replay", capture}, {setting}))["metrics"];
    const json document = run_json(
        with({"evaluate", "--model", kTiny, "--text", text, "--prefix", std::to_string(kPrefix)},
             {setting, {"--dtype", dtype}}));
    EXPECT_EQ(document["dtype"], dtype);
    for (const char* figure : {"ratio_packed", "ratio_nominal", "ratio_paper", "average_n_bits",
                               "key_quantization_error", "value_quantization_error"}) {
      EXPECT_DOUBLE_EQ(document["metrics"][figure], replayed[figure]) << dtype << ", " << figure;
    }
    const double ratio = replayed["ratio_packed"];
    if (dtype == std::string("f32"))
      wide = ratio;
    else
      EXPECT_GT(ratio, 1.1 * wide) << "outliers of 2 bytes, not 4";
  }
}

TEST(Evaluate, TheAuthorsResultsHaveTheirNamesInTheirOrder) {
  const TemporaryFolder folder;
  const json document =
      run_json(on_task({{"--limit", "4", "--preset", "paper", "-o", folder.file("r.json")}}));
  EXPECT_EQ(folder.names(), Words{"r.json"});
  const auto results = nlohmann::ordered_json::parse(bytes_of_file(folder.file("r.json")));
  ASSERT_EQ(results.size(), 1u);
  const auto& params = results[0]["params"];
  EXPECT_EQ(params["question_count"], 4);
  EXPECT_EQ(params["dataset_name"], "hellaswag");
  const auto names = [](const nlohmann::ordered_json& object) {
    Words out;
    for (const auto& [name, value] : object.items()) out.push_back(name);
    return out;
  };
  EXPECT_EQ(names(params["key_quantizer"]),
            (Words{"key_or_value_cache", "level", "symmetric", "method_name", "outliers_ratio",
                   "use_attentions", "n_bits_min", "n_bits_max", "last_n_attentions",
                   "target_quantization_error", "q_norm"}));
  EXPECT_FALSE(params["value_quantizer"].contains("q_norm"));
  EXPECT_EQ(
      names(results[0]["results"]),
      (Words{"accuracy", "accuracy_confidence", "answer_log_probability", "quantization_error",
             "key_quantization_error", "value_quantization_error", "attention_error", "logit_error",
             "average_n_bits", "key_average_n_bits", "value_average_n_bits", "average_size",
             "key_average_size", "value_average_size"}));
  for (const auto& [name, value] : results[0]["results"].items()) {
    EXPECT_EQ(json(value), document["metrics"][name]) << name;
  }
  const auto& ours = results[0]["qaq_scope"];
  EXPECT_EQ(ours["mode"], "in-the-model");
  EXPECT_EQ(json(ours["parameters"]), document["parameters"]);
  EXPECT_EQ(json(ours["metrics"]), document["metrics"]);
  // What tells runs apart: the setting, the questions, the number type, and nothing else.
  const auto hash = [&](const Words& more) {
    run_json(on_task({{"--preset", "paper", "-o", folder.file("other.json")}, more}));
    return json::parse(bytes_of_file(folder.file("other.json")))[0]["qaq_scope"]["hash"];
  };
  EXPECT_EQ(hash({"--limit", "4", "--threads", "1"}), json(ours["hash"]));
  EXPECT_NE(hash({"--limit", "3"}), json(ours["hash"]));
  EXPECT_NE(hash({"--limit", "4", "--dtype", "f16"}), json(ours["hash"]));
  EXPECT_NE(hash({"--limit", "4", "--set", "n_bits_max=5"}), json(ours["hash"]));
}

TEST(Evaluate, GoesOnBehindTheLastFinishedItem) {
  const TemporaryFolder folder;
  const std::string log = folder.file("items.jsonl");
  const auto run = [&](const Words& more) {
    return timeless(run_json(on_task({kCoarse, {"--resume", log}, more})));
  };
  const json whole = run({});
  const std::string all = bytes_of_file(log);
  EXPECT_EQ(std::ranges::count(all, '\n'), 10);
  EXPECT_EQ(whole, timeless(run_json(on_task({kCoarse}))));
  // Cut off within the sixth item, which is then made again.
  std::size_t cut = 0;
  for (int i = 0; i < 6; ++i) cut = all.find('\n', cut) + 1;
  std::filesystem::resize_file(log, cut + 50);
  EXPECT_EQ(run({}), whole);
  EXPECT_EQ(bytes_of_file(log).substr(0, cut), all.substr(0, cut)) << "finished items stay";
  EXPECT_EQ(std::ranges::count(bytes_of_file(log), '\n'), 10);
  EXPECT_EQ(run({"--limit", "3"})["n_questions"], 3) << "fewer are asked for";
}

TEST(Evaluate, ARecordOfSomethingElseIsRefused) {
  const TemporaryFolder folder;
  const std::string log = folder.file("items.jsonl");
  run_json(on_task({kCoarse, {"--resume", log, "--limit", "2"}}));
  const std::string before = bytes_of_file(log);
  const auto refused = [&](const Words& words, const std::string& place) {
    const ProgramResult result = run_qaq(with(words, {{"--resume", log, "--quiet"}}));
    EXPECT_EQ(result.exit_code, 3) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("items.jsonl: line " + place), std::string::npos) << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1);
  };
  refused(on_task({kExact}), "1, made_with/settings");
  refused(on_task({kCoarse, {"--length-norm", "bytes"}}), "1, made_with/choice");
  refused(on_task({kCoarse}, test::test_data_path("tasks/example_mathqa_test.json")),
          "1, made_with/items_sha256");
  EXPECT_EQ(bytes_of_file(log), before);
  std::ofstream(log, std::ios::app) << "{\"id\": 3}\n";
  refused(on_task({kCoarse}), "4");
  std::ofstream(log) << "my notes\n";
  refused(on_task({kCoarse}), "1");
  EXPECT_EQ(bytes_of_file(log), "my notes\n");
}

TEST(Evaluate, AnswersThatChangedAreNoticed) {
  const TemporaryFolder folder;
  for (const char* name : {"example_piqa_valid.jsonl", "example_piqa_valid-labels.lst"}) {
    std::filesystem::copy(test::test_data_path(std::string("tasks/") + name), folder.file(name));
  }
  const Words words = on_task({kCoarse, {"--resume", folder.file("items.jsonl")}},
                              folder.file("example_piqa_valid.jsonl"));
  EXPECT_EQ(run_json(words)["n_questions"], 3);
  std::ofstream(folder.file("example_piqa_valid-labels.lst")) << "0\n0\n0\n";
  const ProgramResult result = run_qaq(words);
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_NE(result.err.find("items.jsonl: line 3: "), std::string::npos) << result.err;
}

TEST(Evaluate, ATextInWindowsAndWithOnePrefix) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("text.txt"))
      << "The query meets every key, and the weights of the keys mix the values. So it goes on.";
  const auto on_text = [&](const std::vector<Words>& more) {
    return with({"evaluate", "--model", kTiny, "--text", folder.file("text.txt")}, more);
  };
  const json windows = run_json(on_text({kCoarse, {"--window", "16", "--stride", "4"}}));
  const auto n_tokens = windows["n_tokens"].get<int>();
  EXPECT_EQ(windows["prefix"], 12);
  EXPECT_EQ(windows["n_windows"], (n_tokens - 12 + 3) / 4);
  EXPECT_EQ(windows["metrics"]["n_positions"], n_tokens - 12);
  EXPECT_EQ(windows["metrics"]["perplexity_positions"], n_tokens - 12 - 1);
  EXPECT_EQ(windows["reference"], nullptr);

  const json one = run_json(on_text({kCoarse, {"--prefix", "10"}}));
  EXPECT_EQ(one["n_windows"], 1);
  const json& positions = one["positions"];
  EXPECT_EQ(positions["kl"].size(), static_cast<std::size_t>(n_tokens) - 10);
  EXPECT_EQ(positions["margin"].size(), positions["kl"].size());
  EXPECT_EQ(positions["nll"].back(), nullptr) << "nothing follows the last token";
  EXPECT_EQ(*std::ranges::max_element(positions["kl"]), one["metrics"]["kl_max"]);

  for (const Words& wrong : std::vector<Words>{{"--window", "4096"},
                                               {"--window", "8", "--stride", "8"},
                                               {"--prefix", std::to_string(n_tokens)},
                                               {"--prefix", "4", "--window", "8"},
                                               {"--length-norm", "bytes"}}) {
    const ProgramResult result = run_qaq(on_text({wrong}));
    EXPECT_EQ(result.exit_code, 2) << wrong[0] << ": " << result.err;
    EXPECT_EQ(result.out, "");
  }
}

TEST(Evaluate, APromptSaysWhereTheTextParts) {
  const Words prompt{
      "evaluate",   "--model", kTiny,         "--prompt", "The query meets every key",
      "--generate", "12",      "--ignore-eos"};
  const json exact = run_json(with(prompt, {kExact}));
  EXPECT_EQ(exact["first_difference"], nullptr);
  EXPECT_EQ(exact["text"], exact["reference"]["text"]);
  EXPECT_EQ(exact["metrics"]["attention_error"], nullptr) << "not measured is not 0";
  const json plain = run_json({"run", "--model", kTiny, "--prompt", "The query meets every key",
                               "--generate", "12", "--ignore-eos"});
  EXPECT_EQ(exact["reference"]["ids"], plain["ids"]);
  const json coarse = run_json(with(prompt, {kCoarse}));
  EXPECT_EQ(coarse["reference"], exact["reference"]);
  const json& setting = coarse;
  ASSERT_TRUE(setting["first_difference"].is_number()) << "two bits are to change this text";
  const auto at = setting["first_difference"].get<std::size_t>();
  for (std::size_t i = 0; i < at; ++i) EXPECT_EQ(setting["ids"][i], plain["ids"][i]);
  EXPECT_NE(setting["ids"][at], plain["ids"][at]);
  EXPECT_EQ(run_qaq(with(prompt, {{"--resume", "x.jsonl"}})).exit_code, 2);
  EXPECT_EQ(run_qaq(with(prompt, {{"--prefix", "4096"}})).exit_code, 2);
}

TEST(Evaluate, QuestionsBeyondTheContextAreCountedAndNamed) {
  const TemporaryFolder folder;
  const int context =
      std::stoi(run_json({"info", kTiny})["metadata"]["llama.context_length"].get<std::string>());
  std::string question = "q";
  for (int i = 0; i < context; ++i) question += " q";
  const json longer{
      {"id", "too long"}, {"question", question}, {"choices", {"a", "b"}}, {"answer", 0}};
  std::ofstream(folder.file("task.jsonl"))
      << longer << '\n'
      << R"({"question": "Which?", "choices": ["this", "that"], "answer": 1})" << '\n';
  const json document = run_json(on_task({kCoarse}, folder.file("task.jsonl")));
  EXPECT_EQ(document["n_questions"], 1);
  EXPECT_EQ(document["too_long"], json({"too long"}));
  const ProgramResult text = run_qaq(on_task({kCoarse}, folder.file("task.jsonl")));
  EXPECT_NE(text.out.find("too long"), std::string::npos) << text.out;
  std::ofstream(folder.file("long.jsonl")) << longer << '\n';
  EXPECT_EQ(run_qaq(on_task({}, folder.file("long.jsonl"))).exit_code, 3);
}

TEST(Evaluate, FlagsThatDoNotGoTogetherAreWrongUsage) {
  for (const Words& words :
       std::vector<Words>{{"evaluate", "--model", kTiny},
                          {"evaluate", "--model", kTiny, "--task", kTask, "--text", kTask},
                          on_task({{"--prefix", "3"}}),
                          on_task({{"--generate", "3"}}),
                          on_task({{"--first-token", "half"}}),
                          on_task({{"--limit", "0"}}),
                          on_task({{"--set", "n_bits_min=5", "--set", "n_bits_max=3"}}),
                          on_task({{"--against-set", "outlier_ratio=0"}})}) {
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  }
}

// What a preset's file says alone is its own fault; a flag behind it may mend or break it.
TEST(Evaluate, APresetThatContradictsItselfIsRefusedByName) {
  const TemporaryFolder folder;
  const std::string preset = folder.file("mine.json");
  const std::string sample = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";
  std::ofstream(preset)
      << R"({"format": "qaq-preset", "version": 1, "set": {"n_bits_min": 9, "n_bits_max": 4}})";
  for (const Words& words :
       {on_task({{"--preset", preset}}), on_task({{"--against", preset}}),
        Words{"replay", sample, "--preset", preset},
        Words{"replay", sample, "--streaming", "--preset", preset},
        Words{"tune", sample, "--target", "ratio_packed=2", "--preset", preset}}) {
    const ProgramResult result = run_qaq(with(words, {{"--quiet"}}));
    EXPECT_EQ(result.exit_code, 3) << words[0];
    EXPECT_EQ(result.err, "qaq: " + preset +
                              ": set/key.n_bits_min: 9 is above n_bits_max 4; lower n_bits_min or "
                              "raise n_bits_max\n");
  }
  EXPECT_EQ(run_qaq({"replay", sample, "--preset", preset, "--set", "n_bits_max=9"}).exit_code, 0);
  EXPECT_EQ(run_qaq({"replay", sample, "--preset", preset, "--set", "n_bits_max=8"}).exit_code, 2);
}

TEST(Evaluate, AnOutputThatCannotBeWrittenIsSaidBeforeTheWork) {
  for (const char* flag : {"-o", "--resume"}) {
    const ProgramResult result = run_qaq(on_task({{flag, "/no-such-folder/x.json", "--quiet"}}));
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_NE(result.err.find("/no-such-folder"), std::string::npos) << result.err;
  }
}

TEST(Evaluate, InterruptedItKeepsWhatIsFinished) {
  QAQ_SMOLLM2_OR_SKIP(model);  // a model that is slow enough to be interrupted
  const TemporaryFolder folder;
  const std::string log = folder.file("items.jsonl"), task = folder.file("task.jsonl");
  std::ofstream out(task);
  for (int i = 0; i < 400; ++i) {
    out << R"({"question": "Which number is larger?", "choices": ["four", "five"], "answer": 1})"
        << '\n';
  }
  out.close();
  const Words words{"evaluate", "--model", model, "--task", task, "--resume", log};
  run_json(with(words, {{"--limit", "3"}}));
  const std::string before = bytes_of_file(log);
  const ProgramResult result =
      run_qaq(words, {.signal_after_output = "load: 30", .signal = SIGINT});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_NE(result.err.find("items are kept"), std::string::npos) << result.err;
  EXPECT_TRUE(bytes_of_file(log).starts_with(before));
  const auto kept = std::ranges::count(bytes_of_file(log), '\n') - 1;
  EXPECT_LT(kept, 400);
  const json resumed = run_json(with(words, {{"--limit", std::to_string(kept + 1)}}));
  EXPECT_EQ(resumed["n_questions"], kept + 1);
}

}  // namespace
}  // namespace qaq
