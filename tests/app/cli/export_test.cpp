// `qaq export`, and the violations of `qaq replay --json`: the same numbers, whatever the way.

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <map>
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
using test::TemporaryFolder;

const std::string kLetter = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

// Column `name` of the export as a document.
std::vector<json> column(const json& document, const std::string& name) {
  const auto at = std::ranges::find(document["columns"], name,
                                    [](const json& c) { return c["name"].get<std::string>(); });
  if (at == document["columns"].end()) throw std::runtime_error("no column " + name);
  const auto i = static_cast<std::size_t>(at - document["columns"].begin());
  std::vector<json> out;
  for (const json& row : document["rows"]) out.push_back(row[i]);
  return out;
}

// Cells as texts, which both formats give alike: nothing is an empty one.
std::vector<std::string> cells_of(const json& row) {
  std::vector<std::string> out;
  for (const json& cell : row) {
    out.push_back(cell.is_null() ? "" : cell.is_string() ? cell.get<std::string>() : cell.dump());
  }
  return out;
}
std::vector<std::string> cells_of_line(const std::string& line) {
  json row = json::array();
  std::istringstream cells(line + ",");
  for (std::string cell; std::getline(cells, cell, ',');) {
    const json number = json::parse(cell, nullptr, false);
    row.push_back(number.is_number() ? number : json(cell));
  }
  return cells_of(row);
}

double mean(const std::vector<json>& numbers, std::size_t first, std::size_t n) {
  double sum = 0;
  for (std::size_t i = first; i < first + n; ++i) sum += numbers[i].get<double>();
  return sum / static_cast<double>(n);
}

TEST(ExportCommand, RowsAddUpToTheReplaysMetrics) {
  const json metrics = run_json({"replay", kLetter, "--preset", "paper"})["metrics"];
  const json bits = run_json({"export", kLetter, "--what", "bits", "--preset", "paper"});
  EXPECT_EQ(bits["schema_version"], 1);
  EXPECT_EQ(bits["mode"], "batch");
  EXPECT_EQ(bits["parameters"]["key.target_quantization_error"], 3.0);
  const std::size_t n = 30 * 3 * 64;
  ASSERT_EQ(bits["rows"].size(), 2 * n);
  EXPECT_NEAR(mean(column(bits, "bits"), 0, n), metrics["key_mean_bits"], 1e-6);
  EXPECT_NEAR(mean(column(bits, "bits"), n, n), metrics["value_mean_bits"], 1e-6);
  const json errors = run_json({"export", kLetter, "--what", "errors", "--preset", "paper"});
  EXPECT_NEAR(mean(column(errors, "squared_error"), 0, n), metrics["key_quantization_error"],
              1e-6 * metrics["key_quantization_error"].get<double>());
  const json outliers = run_json({"export", kLetter, "--what", "outliers", "--preset", "paper"});
  EXPECT_NEAR(mean(column(outliers, "outliers"), n, n) / 64, metrics["value_outlier_share"], 1e-12);
}

TEST(ExportCommand, ScoreErrorsAddUpToTheReplaysMetrics) {
  for (const auto& [prefix, n_steps] : {std::pair{0, 64u}, std::pair{40, 24u}}) {
    const std::vector<std::string> with{kLetter, "--preset", "paper", "--prefix",
                                        std::to_string(prefix)};
    std::vector<std::string> replay{"replay"}, rows{"export", "--what", "score-errors"};
    replay.insert(replay.end(), with.begin(), with.end());
    rows.insert(rows.end(), with.begin(), with.end());
    const json metrics = run_json(replay)["metrics"];
    const json exported = run_json(rows);
    const std::size_t n = 30 * 9 * n_steps;
    ASSERT_EQ(exported["rows"].size(), n);
    EXPECT_EQ(column(exported, "step").front(), prefix);
    EXPECT_EQ(column(exported, "step").back(), 63);
    EXPECT_EQ(column(exported, "head").back(), 8);
    EXPECT_EQ(column(exported, "kv_head").back(), 2);
    EXPECT_NEAR(mean(column(exported, "output_error"), 0, n), metrics["output_error"],
                1e-6 * metrics["output_error"].get<double>());
    // The authors' mean is over the columns of the prefix, which are all that there are without
    // one.
    const double authors = metrics["attention_error"];
    const double all = mean(column(exported, "attention_error"), 0, n);
    if (prefix == 0) {
      EXPECT_NEAR(all / 64, authors, 1e-6 * authors);
    } else {
      EXPECT_GT(all / 40, authors);
    }
  }
}

TEST(ExportCommand, ViolationsAreThoseThatAReplayCounts) {
  const std::vector<std::string> set{"--set", "violation_ratio=8", "--prefix", "40"};
  std::vector<std::string> replay{"replay", kLetter},
      rows{"export", kLetter, "--what", "violations"};
  replay.insert(replay.end(), set.begin(), set.end());
  rows.insert(rows.end(), set.begin(), set.end());
  const json counted = run_json(replay)["violations"];
  const json exported = run_json(rows);
  ASSERT_GT(exported["rows"].size(), 50u);
  EXPECT_EQ(counted["count"], exported["rows"].size());
  EXPECT_EQ(exported["prefix"], 40);
  for (const char* figure : {"window", "count", "eligible", "rate", "jump_ratio_p50",
                             "jump_ratio_p99", "violated_mass", "per_head", "bits_deficit"}) {
    EXPECT_EQ(exported["summary"][figure], counted[figure]) << figure;
  }
  EXPECT_EQ(counted["rate"],
            static_cast<double>(exported["rows"].size()) / counted["eligible"].get<double>());

  const auto layers = column(exported, "layer"), heads = column(exported, "head"),
             steps = column(exported, "step"), deficits = column(exported, "bits_deficit");
  std::vector<std::vector<int>> per_head(30, std::vector<int>(9, 0));
  std::vector<int> per_step(64, 0);
  std::map<std::string, int> histogram;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    ++per_head[layers[i].get<std::size_t>()][heads[i].get<std::size_t>()];
    ++per_step[steps[i].get<std::size_t>()];
    if (!deficits[i].is_null()) ++histogram[std::to_string(deficits[i].get<int>())];
    EXPECT_TRUE(steps[i] >= 40 || deficits[i].is_null()) << "before the plan";
  }
  EXPECT_EQ(counted["per_head"], json(per_head));
  EXPECT_EQ(counted["per_step"], json(per_step));
  EXPECT_EQ(counted["bits_deficit"]["histogram"], json(histogram));
  EXPECT_GT(counted["bits_deficit"]["positive"], 0);
  EXPECT_GT(counted["jump_ratio_p50"], 8.0);
  EXPECT_EQ(counted["persistence"]["ratio"].size(), 30u);
  EXPECT_EQ(counted["persistence"]["share"][29].size(), 9u);
}

TEST(ExportCommand, EveryFormatHoldsTheSameRows) {
  const TemporaryFolder folder;
  for (const char* what :
       {"bits", "outliers", "errors", "score-errors", "violations", "importance"}) {
    const json document = run_json({"export", kLetter, "--what", what});
    const ProgramResult csv = run_qaq({"export", kLetter, "--what", what, "--quiet"});
    ASSERT_EQ(csv.exit_code, 0) << csv.err;
    std::istringstream lines(csv.out);
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(std::ranges::count(line, ','),
              static_cast<std::int64_t>(document["columns"].size()) - 1);
    for (const json& row : document["rows"]) {
      ASSERT_TRUE(std::getline(lines, line));
      ASSERT_EQ(cells_of_line(line), cells_of(row)) << what;
    }
    EXPECT_FALSE(std::getline(lines, line));

    const std::string file = folder.file(std::string(what) + ".h5");
    const json made = run_json({"export", kLetter, "--what", what, "--format", "h5", "-o", file});
    EXPECT_EQ(made["rows"], document["rows"].size());
    EXPECT_EQ(made["bytes"], std::filesystem::file_size(file));
    const std::string text = folder.file("rows.csv");
    run_json({"export", kLetter, "--what", what, "-o", text});
    EXPECT_EQ(test::bytes_of_file(text), csv.out);
    std::filesystem::remove(text);
  }
}

TEST(ExportCommand, TheSameBytesWhateverTheThreads) {
  const auto with = [](const char* n) {
    return run_qaq({"export", kLetter, "--what", "violations", "--json", "--threads", n}).out;
  };
  EXPECT_EQ(with("1"), with("3"));
}

TEST(ExportCommand, NeverWritesOverTheCapture) {
  const TemporaryFolder folder;
  const std::string capture = folder.file("story.h5");
  std::filesystem::copy_file(kLetter, capture);
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"export", capture, "--what", "bits", "--format", "h5", "-o", capture},
           {"replay", capture, "--save-packed", capture}}) {
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_NE(result.err.find("is the capture itself"), std::string::npos) << result.err;
  }
  EXPECT_EQ(test::bytes_of_file(capture), test::bytes_of_file(kLetter));
}

TEST(ExportCommand, NeverReplacesWhatIsNoFile) {
  const TemporaryFolder folder;
  const std::string model = test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf");
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"export", kLetter, "--what", "bits", "-o"},
           {"export", kLetter, "--what", "bits", "--format", "h5", "-o"},
           {"replay", kLetter, "--save-packed"},
           {"capture", "--model", model, "--prompt", "every key", "-o"}}) {
    std::vector<std::string> all = words;
    all.push_back(folder.path().string());
    all.emplace_back("--quiet");
    const ProgramResult result = run_qaq(all);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_NE(result.err.find("is no regular file"), std::string::npos) << result.err;
  }
  EXPECT_TRUE(folder.empty());
}

TEST(ExportCommand, ACaptureWithoutAttentionIsRefusedWithTheCure) {
  const TemporaryFolder folder;
  const std::string capture = folder.file("story.h5");
  const std::string model = test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf");
  run_json(
      {"capture", "--model", model, "--prompt", "every key", "--attention", "none", "-o", capture});
  for (const char* what : {"violations", "importance"}) {
    const ProgramResult result = run_qaq(
        {"export", capture, "--what", what, "--quiet", "--set", "value.use_attentions=false"});
    EXPECT_EQ(result.exit_code, 3) << what;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("--attention derive"), std::string::npos) << result.err;
  }
}

}  // namespace
}  // namespace qaq
