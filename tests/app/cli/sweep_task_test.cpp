// `qaq sweep --task`: a model answers questions under every setting of a grid.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

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
using test::Words;

class SweepTask : public testing::Test {
 protected:
  SweepTask() {
    write_grid(
        R"({"target_quantization_error": [1, 10], "n_bits_min": [0, 2], "n_bits_max": [3]})");
  }
  void write_grid(const std::string& grid) const {
    std::ofstream(grid_) << R"({"format": "qaq-grid", "version": 1, "grid": )" << grid << "}";
  }
  Words words(const std::string& output, const Words& more = {},
              const std::string& task = kTask) const {
    Words out{"sweep", "--model",           kTiny, "--task", task, "--grid", grid_,
              "-o",    folder_.file(output)};
    out.insert(out.end(), more.begin(), more.end());
    return out;
  }
  json results(const std::string& output) const {
    return json::parse(bytes_of_file(folder_.file(output)));
  }

  test::TemporaryFolder folder_;
  const std::string grid_ = folder_.file("grid.json");
};

TEST_F(SweepTask, EachRunIsWhatEvaluateSays) {
  run_json(words("a.json", {"--limit", "5"}));
  EXPECT_EQ(folder_.names(), (Words{"a.json", "grid.json"})) << "nothing else is left";
  const json all = results("a.json");
  ASSERT_EQ(all.size(), 4u);
  for (const json& run : all) {
    const json& scope = run["qaq_scope"];
    Words evaluate{"evaluate", "--model", kTiny, "--task", kTask, "--limit", "5"};
    for (const auto& [name, value] : scope["parameters"].items()) {
      evaluate.insert(
          evaluate.end(),
          {"--set", name + "=" + (value.is_string() ? value.get<std::string>() : value.dump())});
    }
    const json alone = run_json(evaluate);
    for (const auto& [name, value] : alone["metrics"].items()) {
      EXPECT_EQ(scope["metrics"][name], value) << name;
    }
    EXPECT_EQ(scope["metrics"]["n"], 5);
    EXPECT_EQ(scope["metrics"]["accuracy_whole"], alone["reference"]["accuracy"]);
    EXPECT_EQ(scope["metrics"]["p_whole"], alone["against_none"]["mcnemar_p"]);
    EXPECT_EQ(scope["mode"], "in-the-model");
    EXPECT_EQ(scope["task"], "hellaswag");
    EXPECT_EQ(run["results"]["accuracy"], alone["metrics"]["accuracy"]);
    EXPECT_EQ(run["results"]["logit_error"], alone["metrics"]["logit_error"]);
    EXPECT_EQ(run["params"]["question_count"], 5);
    EXPECT_EQ(run["params"]["key_quantizer"]["n_bits_min"], scope["parameters"]["key.n_bits_min"]);
  }
}

TEST_F(SweepTask, CompanyAndShardsChangeNoRun) {
  // More settings than go at a time.
  write_grid(R"({"target_quantization_error": [1, 3, 10], "n_bits_min": [0, 1, 2],
    "outliers_ratio": [0, 0.1]})");
  const json whole = run_json(words("whole.json", {"--limit", "3"}));
  EXPECT_EQ(whole["run"], 18);
  Words merge{"sweep", "merge"};
  for (const char* shard : {"2/4", "1/4", "4/4", "3/4"}) {
    const std::string name = std::string("part") + shard[0] + ".json";
    run_json(words(name, {"--limit", "3", "--shard", shard, "--threads", "1"}));
    merge.push_back(folder_.file(name));
  }
  merge.insert(merge.end(), {"-o", folder_.file("merged.json")});
  EXPECT_EQ(run_json(merge)["runs"], 18);
  EXPECT_EQ(bytes_of_file(folder_.file("merged.json")), bytes_of_file(folder_.file("whole.json")));
}

TEST_F(SweepTask, WhatIsThereIsNotMadeAgain) {
  run_json(words("a.json", {"--limit", "3"}));
  const std::string bytes = bytes_of_file(folder_.file("a.json"));
  EXPECT_EQ(run_json(words("a.json", {"--limit", "3"}))["run"], 0);
  EXPECT_EQ(bytes_of_file(folder_.file("a.json")), bytes);
  write_grid(
      R"({"target_quantization_error": [1, 10], "n_bits_min": [0, 1, 2], "n_bits_max": [3]})");
  const json more = run_json(words("a.json", {"--limit", "3"}));
  EXPECT_EQ(more["found"], 4);
  EXPECT_EQ(more["run"], 2);
  EXPECT_EQ(run_json(words("a.json", {"--limit", "4"}))["found"], 0) << "other questions";
  EXPECT_EQ(run_json(words("a.json", {"--limit", "3", "--length-norm", "bytes"}))["found"], 0);
  // The same questions in a file of another name.
  std::filesystem::copy_file(kTask, folder_.file("copy.jsonl"));
  EXPECT_EQ(run_json(words("a.json", {"--limit", "4"}, folder_.file("copy.jsonl")))["run"], 0);
}

TEST_F(SweepTask, AKilledBatchGoesOnBehindItsLastQuestion) {
  write_grid(R"({"n_bits_max": [3]})");
  run_json(words("whole.json"));
  const json hash = results("whole.json")[0]["qaq_scope"]["hash"];
  // The questions of the same setting, as `qaq evaluate` keeps them.
  run_json({"evaluate", "--model", kTiny, "--task", kTask, "--set", "n_bits_max=3", "--resume",
            folder_.file("items.jsonl")});
  std::istringstream lines(bytes_of_file(folder_.file("items.jsonl")));
  std::string line;
  std::getline(lines, line);
  const auto leave = [&](const json& settings, const std::string& items) {
    std::ofstream(folder_.file("a.json.items"))
        << R"({"format":"qaq-evaluation-items","version":1,"made_with":)"
        << json{{"settings", settings}}.dump() << "}\n"
        << items;
  };
  std::string items;
  for (int i = 0; i < 4; ++i) {
    std::getline(lines, line);
    items += line + "\n";
  }
  leave(json::array({hash}), items + line.substr(0, line.size() / 2));
  run_json(words("a.json"));
  EXPECT_EQ(bytes_of_file(folder_.file("a.json")), bytes_of_file(folder_.file("whole.json")));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("a.json.items")));

  // They were taken, not made again; those of other settings are not.
  json first = json::parse(items.substr(0, items.find('\n')));
  first["settings"][0]["attention_error"] = 1000;
  const std::string changed = first.dump() + items.substr(items.find('\n'));
  for (const bool ours : {true, false}) {
    std::filesystem::remove(folder_.file("a.json"));
    leave(json::array({ours ? hash : json("another")}), changed);
    run_json(words("a.json"));
    const double error = results("a.json")[0]["qaq_scope"]["metrics"]["attention_error"];
    EXPECT_EQ(error > 100, ours) << error;
  }
  std::ofstream(folder_.file("b.json.items")) << "mine";
  EXPECT_EQ(run_qaq(words("b.json")).exit_code, 3);
  EXPECT_EQ(bytes_of_file(folder_.file("b.json.items")), "mine");
}

TEST_F(SweepTask, InterruptedItSaysWhatIsKept) {
  std::string questions;
  for (int i = 0; i < 40; ++i) questions += bytes_of_file(kTask);
  std::ofstream(folder_.file("many.jsonl")) << questions;
  const Words many = words("a.json", {}, folder_.file("many.jsonl"));
  const ProgramResult cut = run_qaq(many, {.signal_after_output = "runs to do", .signal = SIGINT});
  ASSERT_EQ(cut.exit_code, 130) << cut.err;
  EXPECT_NE(cut.err.find("a.json: interrupted; 0 runs are kept"), std::string::npos) << cut.err;
  EXPECT_EQ(results("a.json").size(), 0u);
}

TEST_F(SweepTask, CapturesModelsAndLimitsThatDoNotGoTogetherAreRefused) {
  const std::string capture = test::test_data_path("badinputs/h5/ok_full_f32.h5");
  const auto refused = [&](const Words& all, int code, const std::string& says) {
    const ProgramResult result = run_qaq(all);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(says), std::string::npos) << result.err;
    EXPECT_FALSE(std::filesystem::exists(folder_.file("a.json"))) << "nothing is begun";
  };
  refused(words("a.json", {capture}), 2, "--task: goes without captures");
  refused({"sweep", "--grid", grid_, "-o", folder_.file("a.json")}, 2, "--task");
  refused({"sweep", "--model", kTiny, "--grid", grid_, "-o", folder_.file("a.json")}, 2, "--task");
  refused({"sweep", capture, "--grid", grid_, "--limit", "3", "-o", "x"}, 2, "--task");
  refused(words("a.json", {"--prefix", "3"}), 2, "--prefix");
  refused(words("a.json", {"--rows", "3"}), 2, "--rows");
  refused(words("a.json", {"--seed", "-1"}), 2, "--seed");
  refused(words("a.json", {"--length-norm", "words"}), 2, "--length-norm");
}

TEST_F(SweepTask, BadQuestionsAreRefusedAsByEvaluate) {
  const auto same = [&](const std::string& text) {
    const std::string task = folder_.file("task.jsonl");
    std::ofstream(task) << text;
    Words sweep = words("a.json", {"--quiet"}, task);
    const ProgramResult ours = run_qaq(sweep);
    const ProgramResult theirs = run_qaq({"evaluate", "--model", kTiny, "--task", task, "--quiet"});
    EXPECT_EQ(ours.exit_code, 3) << ours.err;
    EXPECT_EQ(ours.err, theirs.err);
    EXPECT_FALSE(std::filesystem::exists(folder_.file("a.json"))) << "nothing is left";
  };
  same("");
  same("{\"question\": \"Who?\"\n");
  same(R"({"question": "Who?", "choices": ["you", "me"], "answer": 2})");
  std::string words;
  for (int i = 0; i < 3000; ++i) words += "over and over ";
  same(R"({"question": ")" + words + R"(", "choices": ["you", "me"], "answer": 1})");
}

TEST_F(SweepTask, ATableHasTheSameRunsAndGoesOn) {
  run_json(words("a.json", {"--limit", "3"}));
  EXPECT_EQ(run_json(words("a.h5", {"--limit", "3", "--shard", "1/2"}))["run"], 2);
  EXPECT_EQ(run_json(words("a.h5", {"--limit", "3"}))["found"], 2);
  EXPECT_EQ(folder_.names(), (Words{"a.h5", "a.json", "grid.json"}));
  run_json({"sweep", "merge", folder_.file("a.h5"), "-o", folder_.file("b.json")});
  EXPECT_EQ(bytes_of_file(folder_.file("b.json")), bytes_of_file(folder_.file("a.json")));
  run_json({"sweep", "merge", folder_.file("b.json"), "-o", folder_.file("b.hdf5")});
  run_json({"sweep", "merge", folder_.file("b.hdf5"), folder_.file("a.json"), "-o",
            folder_.file("c.json")});
  EXPECT_EQ(bytes_of_file(folder_.file("c.json")), bytes_of_file(folder_.file("a.json")));
}

TEST_F(SweepTask, ASeedDrawsOtherQuestions) {
  run_json(words("a.json", {"--limit", "3"}));
  const json drawn = run_json(words("a.json", {"--limit", "3", "--seed", "42"}));
  EXPECT_EQ(drawn["found"], 0);
  const json all = results("a.json");
  ASSERT_EQ(all.size(), 8u);
  const json metrics =
      run_json({"evaluate", "--model", kTiny, "--task", kTask, "--limit", "3", "--seed", "42",
                "--set", "n_bits_min=0", "--set", "n_bits_max=3"})["metrics"];
  int n_equal = 0;
  for (const json& run : all) {
    if (run["qaq_scope"]["metrics"]["kl_mean"] != metrics["kl_mean"]) continue;
    EXPECT_EQ(run["qaq_scope"]["seed"], 42);
    ++n_equal;
  }
  EXPECT_EQ(n_equal, 1);
}

TEST_F(SweepTask, MergeReplacesNothingButResults) {
  run_json(words("a.json", {"--limit", "3"}));
  const std::string capture = folder_.file("capture.h5");
  std::filesystem::copy_file(test::test_data_path("badinputs/h5/ok_full_f32.h5"), capture);
  const std::string before = bytes_of_file(capture);
  EXPECT_EQ(run_qaq({"sweep", "merge", folder_.file("a.json"), "-o", capture}).exit_code, 3);
  EXPECT_EQ(run_qaq(words("capture.h5", {"--limit", "3"})).exit_code, 3);
  EXPECT_EQ(bytes_of_file(capture), before);
  run_json({"sweep", "merge", folder_.file("a.json"), "-o", folder_.file("a.json")});
}

TEST_F(SweepTask, TheFrontIsByKl) {
  const json pareto = run_json(words("a.json", {"--limit", "5"}))["pareto"];
  ASSERT_GE(pareto.size(), 1u);
  EXPECT_EQ(pareto[0]["task"], "hellaswag");
  for (std::size_t i = 1; i < pareto.size(); ++i) {
    EXPECT_LT(pareto[i]["kl_mean"], pareto[i - 1]["kl_mean"]);
  }
  const ProgramResult dry = run_qaq(words("b.json", {"--dry-run"}));
  EXPECT_EQ(dry.out, "4 settings on a task: 4 runs\n");
  EXPECT_FALSE(std::filesystem::exists(folder_.file("b.json")));
}

}  // namespace
}  // namespace qaq
