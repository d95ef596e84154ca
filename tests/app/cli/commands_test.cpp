// The command line as users meet it: help, usage errors, the way from a model to a stored replay,
// and interruption.

#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

TEST(CommandLine, EveryCommandHasHelpWithAnExample) {
  const ProgramResult help = run_qaq({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command : {"run", "capture", "replay", "evaluate", "diagnose", "risk", "explain",
                              "export", "sweep", "info", "tokenize", "model", "doctor"}) {
    EXPECT_NE(help.out.find(command), std::string::npos);
    const ProgramResult own = command == std::string("model")
                                  ? run_qaq({"model", "fetch", "--help"})
                                  : run_qaq({command, "--help"});
    EXPECT_EQ(own.exit_code, 0);
    EXPECT_NE(own.out.find("Example"), std::string::npos) << command;
  }
}

TEST(CommandLine, WrongUsageIsExitCodeTwoAndOneLine) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"no-such-command"},
      {"replay"},
      {"replay", "x.h5", "--no-such-flag"},
      {"export", "x.h5"},
      {"export", "x.h5", "--what", "everything"},
      {"export", "x.h5", "--what", "bits", "--format", "xml"},
      {"export", "x.h5", "--what", "bits", "--format", "h5"},
      {"export", "x.h5", "--what", "bits", "--format", "csv", "--json"},
      {"tokenize", "--model", kTiny},
      {"tokenize", "--model", kTiny, "--text", "a", "--file", "b"},
      {"tokenize", "--model", kTiny, "--text", "a", "--threads", "many"},
      {"capture", "--model", kTiny, "--prompt", "a", "-o", "x.h5", "--dtype", "f64"},
      {"capture", "--model", kTiny, "--prompt", "a", "-o", "x.h5", "--attention", "half"},
      {"capture", "--model", kTiny, "--prompt", "a", "-o", "x.h5", "--attention", "window:0"},
      {"capture", "--model", kTiny, "--prompt", "a", "-o", "x.h5", "--layers", "0-9"},
      {"capture", "--model", kTiny, "--prompt", "a", "-o", "x.h5", "--attention", "derive",
       "--no-queries"},
      {"run", "--model", kTiny},
      {"run", "--model", kTiny, "--prompt", "a", "--temperature", "-1"},
      {"run", "--model", kTiny, "--prompt", "a", "--temperature", "nan"},
      {"run", "--model", kTiny, "--prompt", "a", "--top-k", "-1"},
      {"run", "--model", kTiny, "--prompt", "a", "--top-k", "1.5"},
      {"run", "--model", kTiny, "--prompt", "a", "--top-p", "1.1"},
      {"run", "--model", kTiny, "--prompt", "a", "--seed", "-3"},
      {"run", "--model", kTiny, "--prompt", "a", "--stop", "288"},
      {"run", "--model", kTiny, "--prompt", "a", "--stop", "the"},
      {"run", "--model", kTiny, "--prompt", "a", "--weights", "f16"},
      {"run", "--model", kTiny, "--prompt", "a", "--system", "Be brief."},
      {"run", "--model", kTiny, "--tokens", "ids.txt", "--chat"},
      {"run", "--model", kTiny, "--prompt", "a", "--chat", "--no-special"},
      {"info", kTiny, "--tokens", "0"},
  };
  for (const auto& words : wrong) {
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, 2) << (words.empty() ? "" : words[0]) << ": " << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_TRUE(result.err.starts_with("qaq: ")) << result.err;
  }
  EXPECT_FALSE(std::filesystem::exists("x.h5"));
}

TEST(CommandLine, AMisspeltParameterGetsTheNearestName) {
  const std::string capture = test::test_data_path("badinputs/h5/ok_full_f32.h5");
  for (const char* assignment : {"outlier_ratio=0.1", "key.outlier_ratio=0.1"}) {
    const ProgramResult result = run_qaq({"replay", capture, "--set", assignment});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_NE(result.err.find("outliers_ratio"), std::string::npos) << result.err;
  }
  for (const char* assignment : {"n_bits_max=17", "level=row", "symmetric=perhaps",
                                 "outliers_ratio=x", "value.q_norm=3", "n_bits_max"}) {
    EXPECT_EQ(run_qaq({"replay", capture, "--set", assignment}).exit_code, 2) << assignment;
  }
  const ProgramResult crossed =
      run_qaq({"replay", capture, "--set", "n_bits_min=5", "--set", "n_bits_max=3"});
  EXPECT_EQ(crossed.exit_code, 2) << crossed.err;
}

TEST(CommandLine, WhatRunsOnTheCpuAloneRefusesAGpuInOneLine) {
  const ProgramResult result =
      run_qaq({"tokenize", "--model", kTiny, "--text", "a", "--device", "cuda"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1);
  EXPECT_NE(result.err.find("--device cpu"), std::string::npos);
}

// Without a GPU, or built without CUDA: one line that says which, and nothing is left behind.
TEST(CommandLine, AGpuThatIsNotThereIsSaidInOneLine) {
  const json cuda = json::parse(run_qaq({"doctor", "--json"}).out)["cuda"];
  const bool built = cuda["backend"].get<bool>();
  if (built && !cuda.contains("problem")) GTEST_SKIP() << "this machine has a GPU";
  const TemporaryFolder folder;
  const std::string capture = folder.file("story.h5");
  const std::string results = folder.file("results.json");
  const std::string there = test::test_data_path("badinputs/h5/ok_full_f32.h5");
  for (std::vector<std::string> words :
       {std::vector<std::string>{"run", "--model", kTiny, "--prompt", "a"},
        {"run", "--model", kTiny, "--prompt", "a", "--policy", "qaq"},
        {"capture", "-o", capture, "--model", kTiny, "--prompt", "a"},
        {"replay", there},
        {"sweep", there, "--grid", "grid.json", "-o", results}}) {
    words.insert(words.end(), {"--device", "cuda"});
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_TRUE(result.err.starts_with("qaq: --device cuda: ")) << result.err;
    EXPECT_NE(
        result.err.find(built ? "or run with --device cpu" : "this build has no CUDA backend"),
        std::string::npos)
        << result.err;
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CommandLine, WhatAGpuDoesNotReplayIsRefused) {
  const std::string capture = test::test_data_path("badinputs/h5/ok_full_f32.h5");
  for (const char* flag : {"--check-bound", "--streaming"}) {
    const ProgramResult result = run_qaq({"replay", capture, flag, "--device", "cuda"});
    EXPECT_NE(result.exit_code, 0);
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_NE(result.err.find("--device cpu"), std::string::npos) << result.err;
  }
}

TEST(CommandLine, FromAModelToAStoredReplay) {
  const TemporaryFolder folder;
  const std::string capture = folder.file("story.h5");
  const json made = run_json({"capture", "--model", kTiny, "--prompt", "The query meets every key",
                              "--generate", "5", "--ignore-eos", "-o", capture});
  EXPECT_EQ(made["generated_tokens"], 5);
  EXPECT_EQ(made["n_tokens"], made["prompt_tokens"].get<int>() + 5);
  EXPECT_EQ(made["bytes"], std::filesystem::file_size(capture));
  for (const char* part : {"load", "prefill", "decode", "write", "total"}) {
    EXPECT_GE(made["timing"][part].get<double>(), 0.0) << part;
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{"story.h5"});

  const json info = run_json({"info", capture});
  EXPECT_EQ(info["schema_version"], 1);

  const json replayed = run_json({"replay", capture, "--preset", "paper", "--set",
                                  "value.target_quantization_error=1", "--save", "tight"});
  EXPECT_EQ(replayed["parameters"]["key.target_quantization_error"], 3.0);
  EXPECT_EQ(replayed["parameters"]["value.target_quantization_error"], 1.0);
  EXPECT_FALSE(replayed["parameters"].contains("n_bits_max"));
  EXPECT_EQ(replayed["parameters"]["key.n_bits_max"], 4);
  EXPECT_GT(replayed["metrics"]["key_quantization_error"].get<double>(), 0.0);
  EXPECT_EQ(replayed["run"], "tight");
  // The same command gives the same numbers.
  const json again = run_json({"replay", capture, "--preset", "paper", "--set",
                               "value.target_quantization_error=1", "--threads", "1"});
  EXPECT_EQ(again["metrics"], replayed["metrics"]);
  // A stored run is listed.
  EXPECT_NE(run_json({"info", capture}).dump().find("tight"), std::string::npos);
}

TEST(CommandLine, ThreadsAreAsManyAsAskedForAndChangeNoNumber) {
  const TemporaryFolder folder;
  const auto capture = [&](const std::string& threads) {
    const std::string path = folder.file("threads" + threads + ".h5");
    run_json({"capture", "--model", kTiny, "--prompt", "The query meets every key", "--threads",
              threads, "-o", path});
    EXPECT_EQ(run_json({"info", path})["provenance"]["n_threads"], std::stoi(threads));
    return run_json({"replay", path, "--threads", threads})["metrics"];
  };
  EXPECT_EQ(capture("1"), capture("3"));
}

TEST(CommandLine, AModelsMetadataAndTensors) {
  const json info = run_json({"info", kTiny});
  EXPECT_EQ(info["kind"], "model");
  EXPECT_EQ(info["metadata"]["general.architecture"], "llama");
  std::int64_t bytes = 0;
  for (const json& tensor : info["tensors"]) bytes += tensor["bytes"].get<std::int64_t>();
  std::int64_t by_type = 0;
  for (const auto& [type, n] : info["bytes_by_type"].items()) by_type += n.get<std::int64_t>();
  EXPECT_EQ(bytes, by_type);
  EXPECT_LE(bytes, info["bytes"].get<std::int64_t>());
}

TEST(CommandLine, AWindowHoldsEnoughToReplayAndNoneSaysHow) {
  const TemporaryFolder folder;
  const auto capture = [&](const std::string& attention) {
    const std::string path = folder.file(attention.substr(0, 4) + ".h5");
    run_json({"capture", "--model", kTiny, "--prompt", "The query meets every key, and the weights",
              "--attention", attention, "-o", path});
    return path;
  };
  const std::string full = capture("full"), window = capture("window:8"),
                    derive = capture("derive"), none = capture("none");
  const json bits = run_json({"replay", full})["metrics"]["value_average_n_bits"];
  EXPECT_EQ(run_json({"replay", window})["metrics"]["value_average_n_bits"], bits);
  EXPECT_EQ(run_json({"replay", derive})["metrics"]["value_average_n_bits"], bits);
  const ProgramResult refused = run_qaq({"replay", none, "--quiet"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_NE(refused.err.find("--attention derive"), std::string::npos) << refused.err;
  EXPECT_EQ(run_json({"replay", none, "--set", "use_attentions=false"})["violations"], nullptr);
}

TEST(CommandLine, TheBundledSampleReplaysAsThePaperSays) {
  const std::string sample = QAQ_SOURCE_DIR "/data/samples/letter.h5";
  EXPECT_LE(std::filesystem::file_size(sample), 4'000'000u);
  const json replayed = run_json({"replay", sample, "--preset", "paper"});
  EXPECT_EQ(replayed["n_tokens"], 64);
  const json& metrics = replayed["metrics"];
  // 1 to 4 bits by the preset, and keys need more of them than values.
  EXPECT_GE(metrics["value_average_n_bits"].get<double>(), 0.99 * 1 + 0.16);
  EXPECT_GT(metrics["key_average_n_bits"], metrics["value_average_n_bits"]);
  EXPECT_LE(metrics["key_average_n_bits"].get<double>(), 0.99 * 4 + 0.16);
  EXPECT_GT(replayed["violations"]["count"].get<int>(), 0);
  EXPECT_EQ(replayed["violations"]["eligible"], 30 * 9 * 59 * 60 / 2);
}

TEST(CommandLine, AnInterruptedCaptureLeavesNothing) {
  QAQ_SMOLLM2_OR_SKIP(model);  // a model that is slow enough to be interrupted
  const TemporaryFolder folder;
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    const ProgramResult result =
        run_qaq({"capture", "--model", model, "--prompt", "The query", "--generate", "4000",
                 "--ignore-eos", "-o", folder.file("long.h5")},
                {.signal_after_output = "prefill: 30", .signal = signal});
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find("interrupted"), std::string::npos) << result.err;
    EXPECT_TRUE(folder.names().empty());
  }
}

TEST(CommandLine, AFailingOutputIsExitCodeOne) {
  const ProgramResult result = run_qaq({"capture", "--model", kTiny, "--prompt", "The query",
                                        "--quiet", "-o", "/no-such-folder/x.h5"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("/no-such-folder"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace qaq
