// `qaq replay --policy`, `qaq evaluate --policy`: QAQ's rivals from the command line.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "core/replay/replay.h"
#include "data/capture/capture_file.h"
#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"
#include "tests/support/tiny_task.h"

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
  refused({"replay", kCapture, "--save-packed", folder.file("a.qkv")}, "--save-packed");
  refused({"replay", kCapture, "--streaming", "--save", "a"}, "--save is not there for kivi yet");
  refused({"replay", kCapture, "--preset", "paper"}, "holds parameters of qaq, not of kivi");
  refused({"replay", kCapture, "--set", "n_bits_max=4"}, "n_bits_max");
  refused({"export", kCapture, "--what", "violations"}, "--what violations is not there for kivi");
  refused({"export", kCapture, "--what", "importance"}, "--what importance");
  refused({"diagnose", kCapture}, "qaq diagnose");
  EXPECT_EQ(run_qaq({"replay", kCapture, "--policy", "kiwi"}).exit_code, 2);
}

TEST(RivalCommand, EvaluatesEachPolicyInTheModel) {
  const auto on_task = [](std::vector<std::string> more) {
    std::vector<std::string> words{"evaluate", "--model", test::kTiny, "--task", test::kTask};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  const json full = run_json(on_task({"--policy", "full"}));
  EXPECT_EQ(full["policy"], "full");
  EXPECT_EQ(full["parameters"], json::object());
  EXPECT_EQ(full["metrics"]["kl_max"], 0.0);
  EXPECT_EQ(full["metrics"]["accuracy"], full["reference"]["accuracy"]);
  EXPECT_EQ(full["metrics"]["kept_share"], 1.0);
  // 3 layers of 2 KV heads with 16 channels in float32.
  EXPECT_EQ(full["metrics"]["key_packed_bytes_per_token"], 3 * 2 * 16 * 4);

  const json both = run_json(on_task({"--policy", "uniform", "--set", "key.bits=8", "--set",
                                      "value.bits=8", "--against-set", "key.bits=2"}));
  EXPECT_EQ(both["against"]["policy"], "uniform");
  EXPECT_EQ(both["against"]["parameters"]["key.bits"], 2);
  EXPECT_EQ(both["against"]["parameters"]["value.bits"], 8) << "of the first setting";
  EXPECT_LT(both["metrics"]["kl_mean"], both["against"]["metrics"]["kl_mean"]);
  EXPECT_GT(both["metrics"]["kl_mean"].get<double>(), 0);
  EXPECT_GT(both["metrics"]["key_packed_bytes_per_token"],
            both["against"]["metrics"]["key_packed_bytes_per_token"]);

  const json qaq = run_json(on_task({"--policy", "kivi", "--against-policy", "qaq"}));
  const json alone = run_json(on_task({}));
  EXPECT_EQ(alone["policy"], "qaq");
  EXPECT_EQ(qaq["against"]["metrics"], alone["metrics"]);
  EXPECT_EQ(qaq["against"]["parameters"], alone["parameters"]);
  const json preset = run_json(on_task({"--policy", "kivi", "--against", "paper"}));
  EXPECT_EQ(preset["against"]["policy"], "qaq");

  const auto text = run_qaq(on_task({"--policy", "kivi", "--set", "k_bits=4"}));
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("setting (--policy kivi --set k_bits=4)"), std::string::npos) << text.out;
}

TEST(RivalCommand, AnEvaluationsRecordsSayWhosePolicyTheyAre) {
  const test::TemporaryFolder folder;
  const std::vector<std::string> words{"evaluate",
                                       "--model",
                                       test::kTiny,
                                       "--task",
                                       test::kTask,
                                       "--policy",
                                       "uniform",
                                       "--resume",
                                       folder.file("items.jsonl"),
                                       "-o",
                                       folder.file("out.json")};
  ASSERT_EQ(run_qaq(words).exit_code, 0);
  const json run = json::parse(test::bytes_of_file(folder.file("out.json"))).at(0);
  EXPECT_EQ(run["qaq_scope"]["policy"], "uniform");
  EXPECT_TRUE(run["params"]["key_quantizer"].is_null());
  EXPECT_EQ(run_qaq(words).exit_code, 0) << "goes on behind what is finished";
  std::vector<std::string> others = words;
  others[6] = "kivi";
  EXPECT_EQ(run_qaq(others).exit_code, 3) << "items of another policy";
}

TEST(RivalCommand, SaysWhatAnEvaluationCannotDo) {
  const auto refused = [](std::vector<std::string> words, const std::string& what) {
    const auto result = run_qaq(words);
    EXPECT_EQ(result.exit_code, 2) << what;
    EXPECT_NE(result.err.find(what), std::string::npos) << result.err;
  };
  const std::vector<std::string> head{"evaluate", "--model", test::kTiny, "--task", test::kTask};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), head.begin(), head.end());
    return more;
  };
  refused(with({"--policy", "kiwi"}), "did you mean kivi?");
  refused(with({"--policy", "kivi", "--preset", "paper"}), "holds parameters of qaq, not of kivi");
  refused(with({"--policy", "kivi", "--set", "n_bits_max=4"}), "n_bits_max");
  refused(with({"--policy", "qaq+kivi"}), "qaq+kivi is no composition");
  refused(with({"--against-policy", "kivi", "--against", "paper"}), "holds parameters of qaq, not of kivi");
  refused(with({"--policy", "q8_0"}), "32");
  refused({"sweep", kCapture, "--policy", "kivi", "--grid", "g.json", "-o", "r.json"},
          "qaq sweep is not there for kivi yet");
  refused({"tune", kCapture, "--policy", "kivi", "--target", "ratio_packed=2"},
          "qaq tune is not there for kivi yet");
}

// A copy of the sample, to keep runs in.
std::string copied(const test::TemporaryFolder& folder) {
  const std::string path = folder.file("letter.h5");
  std::filesystem::copy_file(kCapture, path);
  return path;
}

TEST(RivalCommand, KeepsExportsAndComparesRunsOfDifferentPolicies) {
  const test::TemporaryFolder folder;
  const std::string capture = copied(folder);
  const std::vector<std::string> kivi{"--policy", "kivi",  "--set",
                                      "k_bits=4", "--set", "residual_length=128"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), kivi.begin(), kivi.end());
    return run_json(words);
  };
  run_json({"replay", capture, "--save", "own"});
  const json fresh = with({"replay", capture, "--save", "rival"});
  const SharedReplay stored = load_run(capture, "rival");
  EXPECT_EQ(stored->policy, "kivi");
  EXPECT_EQ(json(parameters_json(stored->parameters)), fresh["parameters"]);
  EXPECT_EQ(json(metrics_json(*stored)), fresh["metrics"]);
  EXPECT_FALSE(stored->key.evicts());

  const json both = run_json({"compare", capture + "#own", capture + "#rival"});
  std::map<std::string, std::pair<std::string, std::string>> settings;
  for (const json& each : both["settings"]) settings[each["name"]] = {each["a"], each["b"]};
  EXPECT_EQ(settings["policy"], std::pair(std::string("qaq"), std::string("kivi")));
  EXPECT_EQ(settings["k_bits"], std::pair(std::string(), std::string("4")));
  EXPECT_FALSE(settings.contains("key.level")) << "nobody set it";

  const json bits = with({"export", capture, "--what", "bits", "--json"});
  EXPECT_EQ(bits["policy"], "kivi");
  EXPECT_EQ(bits["parameters"], fresh["parameters"]);
  // The sample is shorter than what kivi leaves exact of values.
  const auto errors = run_qaq({"export", capture, "--what", "errors", "--policy", "kivi", "--set",
                               "group_size=32", "--set", "residual_length=32"});
  EXPECT_EQ(errors.exit_code, 0) << errors.err;
}

TEST(RivalCommand, ExplainsWhatBecameOfACell) {
  const std::vector<std::string> command{"explain",   kCapture,   "--cell",
                                         "key,0,0,3", "--policy", "q4_0"};
  auto words = command;
  words.emplace_back("--json");
  const json cell = run_json(words);
  EXPECT_EQ(cell["policy"], "q4_0");
  EXPECT_EQ(cell["fate"], "coded");
  EXPECT_EQ(cell["bits"]["n_bits"], 4);
  EXPECT_GT(cell["rms_error"], 0);
  EXPECT_EQ(cell["cache"]["kept_share"], 1);
  const json whole = run_json({"replay", kCapture, "--policy", "q4_0"});
  EXPECT_EQ(cell["cache"]["packed_bytes"], whole["metrics"]["key_packed_bytes"]["total"]);
  const auto text = run_qaq(command);
  EXPECT_EQ(text.exit_code, 0) << text.err;
  for (const char* part : {"llama.cpp's blocks of 4.5 bits", "= 4 bits", "packed"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << text.out;
  }
  EXPECT_EQ(run_qaq({"explain", kCapture, "--cell", "key,0,0,999", "--policy", "full"}).exit_code,
            2);
}

TEST(RivalCommand, TakesAPresetOfAnyPolicy) {
  const test::TemporaryFolder folder;
  const std::string preset = folder.file("kivi4.json");
  std::ofstream(preset) << R"({"format": "qaq-preset", "version": 1, "policy": "kivi",
                               "set": {"k_bits": 4, "group_size": 32, "residual_length": 32}})";
  const json by_preset = run_json({"replay", kCapture, "--preset", preset});
  EXPECT_EQ(by_preset["policy"], "kivi");
  EXPECT_EQ(by_preset["parameters"]["k_bits"], 4);
  const auto other = run_qaq({"replay", kCapture, "--policy", "q8_0", "--preset", preset});
  EXPECT_EQ(other.exit_code, 2);
  EXPECT_NE(other.err.find("holds parameters of kivi, not of q8_0"), std::string::npos);
}

TEST(RivalCommand, DecodesStepByStep) {
  const json kivi = run_json({"replay", kCapture, "--streaming", "--prefill", "40", "--policy",
                              "kivi", "--set", "group_size=16", "--set", "residual_length=16"});
  EXPECT_EQ(kivi["policy"], "kivi");
  EXPECT_EQ(kivi["parameters"]["group_size"], 16);
  const json& metrics = kivi["metrics"];
  EXPECT_EQ(metrics["steps"], 24);
  EXPECT_EQ(metrics["d2h_bytes"], 0) << "a rival needs no copy on the host";
  EXPECT_EQ(metrics["h2d_bytes"], 0);
  EXPECT_EQ(metrics["kept_share"], 1.0);
  EXPECT_GT(metrics["ratio_resident"].get<double>(), 1);
  EXPECT_GT(metrics["output_error"].get<double>(), 0);
  const json full = run_json({"replay", kCapture, "--streaming", "--policy", "full"});
  EXPECT_EQ(full["metrics"]["ratio_resident"], 1.0);

  const std::vector<std::string> run{"run",      "--model",        test::kTiny,
                                     "--prompt", "The lighthouse", "--generate",
                                     "12",       "--ignore-eos"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), run.begin(), run.end());
    return more;
  };
  const json whole = run_json(with({})), exact = run_json(with({"--policy", "full"}));
  EXPECT_EQ(whole["ids"], exact["ids"]);
  EXPECT_EQ(exact["cache"]["policy"], "full");
  EXPECT_EQ(exact["cache"]["final_resident_bytes"], exact["cache"]["full_bytes"]);
  const json uniform = run_json(with({"--policy", "uniform", "--set", "bits=2"}));
  EXPECT_LT(uniform["cache"]["final_resident_bytes"], uniform["cache"]["full_bytes"]);
  EXPECT_EQ(uniform["cache"]["key"]["final_mean_bits"], 2);
  const auto text = run_qaq(with({"--policy", "uniform"}));
  EXPECT_NE(text.err.find("quantized by uniform"), std::string::npos) << text.err;
  const auto columns = run_qaq(with({"--policy", "uniform", "--set", "axis=channel"}));
  EXPECT_EQ(columns.exit_code, 2);
  EXPECT_NE(columns.err.find("decoding fixes none of them"), std::string::npos) << columns.err;
}

}  // namespace
}  // namespace qaq
