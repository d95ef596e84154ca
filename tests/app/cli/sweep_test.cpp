#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::bytes_of_file;
using test::ProgramResult;
using test::run_qaq;

const std::string kCapture = test::test_data_path("badinputs/h5/ok_full_f32.h5");

class Sweep : public testing::Test {
 protected:
  Sweep() {
    std::ofstream(grid_) << R"({"format": "qaq-grid", "version": 1, "policy": "qaq",
      "grid": {"level": ["token", "head"], "outliers_ratio": [0],
               "n_bits_min": [1, 2, 3], "n_bits_max": [2, 4]},
      "when": ["n_bits_min <= n_bits_max"]})";
  }
  ProgramResult sweep(const std::string& output, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"sweep", kCapture, "--grid", grid_, "-o", folder_.file(output),
                                   "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return run_qaq(words);
  }
  json results(const std::string& output) const {
    return json::parse(bytes_of_file(folder_.file(output)));
  }

  test::TemporaryFolder folder_;
  const std::string grid_ = folder_.file("grid.json");
};

TEST_F(Sweep, SaysHowManyRunsThereAre) {
  const ProgramResult result = run_qaq({"sweep", kCapture, "--grid", grid_, "--dry-run"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("10 settings on 1 captures: 10 runs"), std::string::npos) << result.out;
}

TEST_F(Sweep, EachRunIsWhatReplaySays) {
  const ProgramResult result = sweep("a.json");
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("10 settings"), std::string::npos) << "said before it starts";
  const json all = results("a.json");
  ASSERT_EQ(all.size(), 10u);
  for (const json& run : all) {
    const json& p = run["qaq_scope"]["parameters"];
    std::vector<std::string> words{"replay", kCapture, "--json"};
    for (const auto& [name, value] : p.items()) {
      words.insert(
          words.end(),
          {"--set", name + "=" + (value.is_string() ? value.get<std::string>() : value.dump())});
    }
    const ProgramResult alone = run_qaq(words);
    ASSERT_EQ(alone.exit_code, 0) << alone.err;
    const json metrics = json::parse(alone.out)["metrics"];
    EXPECT_EQ(run["qaq_scope"]["mode"], "batch");
    EXPECT_EQ(run["qaq_scope"]["metrics"], metrics);
    EXPECT_EQ(run["results"]["average_n_bits"], metrics["average_n_bits"]);
    EXPECT_EQ(run["params"]["key_quantizer"]["level"], p["key.level"]);
  }
}

TEST_F(Sweep, ShardsMergeIntoTheWhole) {
  ASSERT_EQ(sweep("whole.json").exit_code, 0);
  std::vector<std::string> merge{"sweep", "merge"};
  for (const char* shard : {"3/3", "1/3", "2/3"}) {
    const std::string name = std::string("part") + shard[0] + ".json";
    ASSERT_EQ(sweep(name, {"--shard", shard}).exit_code, 0);
    merge.push_back(folder_.file(name));
  }
  merge.push_back(merge.back());  // twice: kept once
  merge.insert(merge.end(), {"-o", folder_.file("merged.json")});
  const ProgramResult merged = run_qaq(merge);
  ASSERT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_EQ(bytes_of_file(folder_.file("merged.json")), bytes_of_file(folder_.file("whole.json")));
}

TEST_F(Sweep, GoesOnAfterAKill) {
  ASSERT_EQ(sweep("a.json").exit_code, 0);
  const std::string whole = bytes_of_file(folder_.file("a.json"));
  for (const std::size_t kept : {whole.size() / 3, whole.size() / 2, whole.size() - 4}) {
    std::ofstream(folder_.file("a.json")) << whole.substr(0, kept);
    const ProgramResult again = sweep("a.json");
    ASSERT_EQ(again.exit_code, 0) << again.err;
    const json said = json::parse(again.out);
    EXPECT_EQ(said["found"].get<int>() + said["run"].get<int>(), 10);
    EXPECT_LT(said["run"], 10);
    EXPECT_GT(said["run"], 0);
    EXPECT_EQ(bytes_of_file(folder_.file("a.json")), whole);
  }
  EXPECT_EQ(json::parse(sweep("a.json").out)["run"], 0) << "what is there is not made again";
}

TEST_F(Sweep, InterruptedItKeepsWhatIsFinished) {
  std::ofstream(grid_) << R"({"format": "qaq-grid", "version": 1, "grid":
    {"target_quantization_error": [{"from": 0.001, "to": 1000, "count": 3000}]}})";
  const ProgramResult result =
      run_qaq({"sweep", std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5", "--grid", grid_,
               "-o", folder_.file("a.json")},
              {.signal_after_output = "runs to do", .signal = SIGINT});
  EXPECT_EQ(result.exit_code, 130) << result.err;
  const json kept = results("a.json");
  EXPECT_LT(kept.size(), 3000u);
  const std::string said = "a.json: interrupted; " + std::to_string(kept.size()) + " runs are kept";
  EXPECT_NE(result.err.find(said), std::string::npos) << result.err;
}

TEST_F(Sweep, ThreadsChangeNoByte) {
  ASSERT_EQ(sweep("one.json", {"--threads", "1"}).exit_code, 0);
  ASSERT_EQ(sweep("three.json", {"--threads", "3"}).exit_code, 0);
  EXPECT_EQ(bytes_of_file(folder_.file("one.json")), bytes_of_file(folder_.file("three.json")));
}

TEST_F(Sweep, NamesThePointsThatNoOtherBeats) {
  const json pareto = json::parse(sweep("a.json").out)["pareto"];
  ASSERT_GE(pareto.size(), 1u);
  for (std::size_t i = 1; i < pareto.size(); ++i) {
    EXPECT_LT(pareto[i]["ratio_packed"], pareto[i - 1]["ratio_packed"]);
    EXPECT_LT(pareto[i]["output_error"], pareto[i - 1]["output_error"]);
  }
}

TEST_F(Sweep, WhatItCannotDoIsRefused) {
  const auto expect = [&](const std::vector<std::string>& words, int code, const char* word) {
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(word), std::string::npos) << result.err;
  };
  expect({"sweep", kCapture, "-o", folder_.file("a.json")}, 2, "--grid");
  expect({"sweep", kCapture, "--grid", grid_}, 2, "-o");
  expect({"sweep", kCapture, "--grid", grid_, "--shard", "4/3", "-o", "x"}, 2, "--shard");
  expect({"sweep", kCapture, "--grid", kCapture, "-o", "x"}, 3, "JSON");
  std::ofstream(folder_.file("notes.txt")) << "mine";
  expect({"sweep", kCapture, "--grid", grid_, "-o", folder_.file("notes.txt"), "--quiet"}, 3,
         "no results file");
  EXPECT_EQ(bytes_of_file(folder_.file("notes.txt")), "mine");
  std::ofstream(grid_) << R"({"format": "qaq-grid", "version": 1,
    "grid": {"n_bits_min": [3], "n_bits_max": [2]}})";
  expect({"sweep", kCapture, "--grid", grid_, "-o", folder_.file("b.json")}, 3, "when");
  std::ofstream(grid_) << R"({"format": "qaq-grid", "version": 1, "grid": {"outlier_ratio": [1]}})";
  expect({"sweep", kCapture, "--grid", grid_, "-o", folder_.file("b.json")}, 3, "outliers_ratio");
  std::string many = R"({"format": "qaq-grid", "version": 1, "grid": {)";
  for (const char* name : {"key.q_norm", "key.target_quantization_error",
                           "value.target_quantization_error", "key.outliers_ratio"}) {
    many += std::string(many.back() == '{' ? "" : ",") + "\"" + name +
            R"(": [{"from": 0.0001, "to": 0.9, "count": 1000}])";
  }
  std::ofstream(grid_) << many + "}}";
  expect({"sweep", kCapture, "--grid", grid_, "-o", folder_.file("b.json")}, 3, "1e+12");
}

}  // namespace
}  // namespace qaq
