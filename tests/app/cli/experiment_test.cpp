// `qaq experiment`: every figure and table on a tiny model, its files, and the numbers in them
// beside those of other commands.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

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

Words on_task(const std::string& name, const std::string& folder, const Words& more = {}) {
  Words words{"experiment", name, "--model", kTiny, "--task", kTask, "-o", folder};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::size_t column(const json& table, const std::string& name) {
  const json& columns = table["columns"];
  const auto found =
      std::ranges::find_if(columns, [&](const json& each) { return each["name"] == name; });
  EXPECT_NE(found, columns.end()) << name;
  return static_cast<std::size_t>(found - columns.begin());
}

// The cell of the row whose column `key` is `value`.
json cell(const json& table, const std::string& key, const json& value, const std::string& name) {
  for (const json& row : table["rows"]) {
    if (row[column(table, key)] == value) return row[column(table, name)];
  }
  ADD_FAILURE() << "no row with " << key << " " << value;
  return nullptr;
}

std::int64_t n_lines(const std::string& text) { return std::ranges::count(text, '\n'); }

Words names_in(const std::string& folder) {
  Words out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    out.push_back(entry.path().filename().string());
  }
  return out;
}

// Every series of the chart names a table of the document, its columns and rows that are there.
void expect_charted(const json& document) {
  ASSERT_TRUE(document.contains("chart"));
  EXPECT_FALSE(document["chart"]["panels"].empty());
  for (const json& panel : document["chart"]["panels"]) {
    EXPECT_FALSE(panel["series"].empty()) << panel["title"];
    for (const json& series : panel["series"]) {
      ASSERT_TRUE(document["tables"].contains(series["table"])) << series;
      const json& table = document["tables"][series["table"].get<std::string>()];
      for (const char* key : {"x", "y", "low", "high"}) {
        if (series.contains(key)) column(table, series[key]);
      }
      for (const json& name : series.value("category", json::array())) column(table, name);
      for (const json& row : series.value("rows", json::array())) {
        EXPECT_LT(row.get<std::size_t>(), table["rows"].size()) << series;
      }
    }
  }
}

class EveryExperiment : public testing::TestWithParam<std::string> {};

TEST_P(EveryExperiment, WritesItsTablesItsDocumentAndItsPage) {
  const TemporaryFolder folder;
  const std::string name = GetParam();
  const json document =
      run_json(on_task(name, folder.file("out"), {"--limit", "3", "--layer", "1", "--head", "2"}));
  EXPECT_EQ(document["experiment"], name);
  const bool of_captures = name == "fig2b" || name == "fig2c" || name == "bound" ||
                           name == "cost" || (name.starts_with("ext-") && name != "ext-prune");
  EXPECT_EQ(document["mode"], of_captures       ? "batch"
                              : name == "drift" ? "streaming"
                                                : "in-the-model");
  EXPECT_EQ(document["dtype"], "f16") << "as the authors ran";
  EXPECT_GT(document["n"].get<int>(), 0);
  EXPECT_LE(document["n"], document["n_available"]);
  json stored = json::parse(bytes_of_file(folder.file("out/" + name + ".json")));
  EXPECT_EQ(stored["tables"], document["tables"]);
  EXPECT_TRUE(document["tables"].contains(name)) << "the main table";
  for (const auto& [stem, table] : document["tables"].items()) {
    const std::string csv = bytes_of_file(folder.file("out/" + stem + ".csv"));
    EXPECT_EQ(n_lines(csv), std::ssize(table["rows"]) + 1) << stem;
    for (const json& row : table["rows"]) ASSERT_EQ(row.size(), table["columns"].size()) << stem;
    EXPECT_TRUE(csv.starts_with(table["columns"][0]["name"].get<std::string>())) << csv;
  }
  const std::string page = bytes_of_file(folder.file("out/" + name + ".md"));
  const std::string counted = "n = " + document["n"].dump() + " of ";
  for (const std::string& word :
       {"# " + name, counted, std::string("qaq experiment"), std::string("tiny-llama")}) {
    EXPECT_NE(page.find(word), std::string::npos) << word << " in " << page;
  }
  for (const std::string& path : names_in(folder.file("out"))) {
    EXPECT_EQ(path.find(".partial"), std::string::npos) << path;
    EXPECT_EQ(path.find(".log"), std::string::npos) << path;
  }
  expect_charted(stored);
#ifdef QAQ_HAS_SCOPE
  EXPECT_TRUE(bytes_of_file(folder.file("out/" + name + ".png")).starts_with("\x89PNG"));
  EXPECT_NE(page.find("](" + name + ".png)"), std::string::npos) << page;
  const auto files = document["files"].get<Words>();
  EXPECT_NE(std::ranges::find(files, folder.file("out/" + name + ".png")), files.end());
#endif
}

INSTANTIATE_TEST_SUITE_P(Names, EveryExperiment,
                         testing::Values("fig2a", "fig2b", "fig2c", "fig3", "fig4", "table1",
                                         "table2", "table3", "bound", "cost", "drift", "ext-ema",
                                         "ext-hybrid", "ext-approximate", "ext-adaptive",
                                         "ext-nsigma", "ext-sparse-top-k", "ext-prune"));

TEST(Experiment, TheListHasThemAll) {
  const json all = run_json({"experiment", "list"})["experiments"];
  EXPECT_EQ(all.size(), 18u) << "as many as are tested above";
  const ProgramResult text = run_qaq({"experiment", "list"});
  EXPECT_EQ(n_lines(text.out), 18);
}

// What a row says is what `qaq evaluate` says of its setting.
void expect_as_evaluated(const json& table, const std::string& setting, const Words& flags) {
  Words words{"evaluate", "--model", kTiny, "--task", kTask, "--dtype", "f16"};
  words.insert(words.end(), flags.begin(), flags.end());
  const json metrics = run_json(words)["metrics"];
  EXPECT_EQ(cell(table, "setting", setting, "n_right"), metrics["n_right"]) << setting;
  for (const auto& [ours, theirs] :
       {std::pair{"accuracy", "accuracy"}, std::pair{"kl_mean", "kl_mean"},
        std::pair{"same_top", "same_top"}, std::pair{"key_bits", "key_average_n_bits"},
        std::pair{"ratio_paper", "ratio_paper"}, std::pair{"ratio_nominal", "ratio_nominal"},
        std::pair{"ratio_packed", "ratio_packed"}}) {
    const double expected = metrics[theirs];
    EXPECT_NEAR(cell(table, "setting", setting, ours).get<double>(), expected,
                std::abs(expected) * 1e-6)
        << setting << ", " << ours;
  }
  EXPECT_NEAR(cell(table, "setting", setting, "accuracy_low").get<double>(),
              metrics["accuracy_wilson_95"][0].get<double>(), 1e-6);
}

TEST(Experiment, Fig2aIsWhatEvaluateSays) {
  const TemporaryFolder folder;
  const json document = run_json(on_task("fig2a", folder.file("out")));
  const json& table = document["tables"]["fig2a"];
  EXPECT_EQ(table["rows"].size(), 1u + 3 * 2 * 8 + 2 * 8) << "three levels, and midpoint at one";
  const Words flat{"--set", "use_attentions=false", "--set", "outliers_ratio=0"};
  const auto with = [&](Words more) {
    more.insert(more.end(), flat.begin(), flat.end());
    return more;
  };
  expect_as_evaluated(table, "key 2 bits head mean_centred",
                      with({"--set", "value.level=no-quantization"}));
  expect_as_evaluated(table, "value 3 bits token mean_centred",
                      with({"--set", "key.level=no-quantization", "--set", "value.level=token",
                            "--set", "value.n_bits_uniform=3"}));
  expect_as_evaluated(table, "key 8 bits head midpoint",
                      with({"--set", "value.level=no-quantization", "--set", "range_rule=midpoint",
                            "--set", "n_bits_uniform=8"}));
  EXPECT_NEAR(
      cell(document["tables"]["fig2a-paper"], "paper_setting", "key 2 bits", "paper_accuracy")
          .get<double>(),
      .36, 1e-6);
  // The last bits of midpoint bring back the whole cache, those of mean_centred do not.
  EXPECT_LT(cell(table, "setting", "key 8 bits head midpoint", "kl_mean").get<double>(), 1e-3);
  EXPECT_GT(cell(table, "setting", "key 8 bits head mean_centred", "kl_mean").get<double>(), 1e-2);
}

TEST(Experiment, Fig4HasFlatBitsBesideQaq) {
  const TemporaryFolder folder;
  const json document = run_json(on_task("fig4", folder.file("out")));
  const json& table = document["tables"]["fig4"];
  expect_as_evaluated(table, "flat 2 bits", {"--set", "use_attentions=false"});
  expect_as_evaluated(table, "qaq e 3 bits 1-4",
                      {"--set", "target_quantization_error=3", "--set", "n_bits_max=4"});
  const std::vector<std::pair<const char*, double>> ratios{
      {"flat 1 bit", 13.9},  {"flat 2 bits", 7.48}, {"flat 3 bits", 5.11},
      {"flat 4 bits", 3.88}, {"flat 6 bits", 2.62}, {"flat 8 bits", 1.98}};
  for (const auto& [name, ratio] : ratios) {
    EXPECT_NEAR(cell(table, "setting", name, "ratio_paper").get<double>(), ratio, .02) << name;
    EXPECT_NEAR(
        cell(document["tables"]["fig4-paper"], "paper_setting", name, "paper_ratio").get<double>(),
        ratio, 1e-6);
  }
  // No setting on the front is beaten in both by another.
  const json& rows = table["rows"];
  const std::size_t front = column(table, "kl_front"), kl = column(table, "kl_mean"),
                    packed = column(table, "ratio_packed");
  int n_front = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const bool beaten = std::any_of(rows.begin() + 1, rows.end(), [&](const json& other) {
      return other[kl] < rows[i][kl] && other[packed] > rows[i][packed];
    });
    if (rows[i][front] == "yes") {
      ++n_front;
      EXPECT_FALSE(beaten) << rows[i];
    }
  }
  EXPECT_GT(n_front, 0);
  const std::string page = bytes_of_file(folder.file("out/fig4.md"));
  EXPECT_NE(page.find("16 / (0.99 * 2 + 0.16) = 7.477"), std::string::npos) << page;
  EXPECT_NE(page.find("At equal packed bytes"), std::string::npos);
}

TEST(Experiment, Table1PicksFromTheSameRuns) {
  const TemporaryFolder folder;
  const json document = run_json(on_task("table1", folder.file("out")));
  const json& best = document["tables"]["table1"];
  const json& all = document["tables"]["table1-settings"];
  const double whole = cell(all, "setting", "whole cache", "accuracy");
  for (const json& row : best["rows"]) {
    if (row[column(best, "setting")].is_null()) continue;
    EXPECT_GT(row[column(best, "accuracy")].get<double>(), whole - .01);
    const std::string counted = "ratio_" + row[column(best, "counted_as")].get<std::string>();
    EXPECT_EQ(row[column(best, "ratio")],
              cell(all, "setting", row[column(best, "setting")], counted));
  }
  EXPECT_NEAR(cell(document["tables"]["table1-paper"], "paper_model", "LLaMA-2-13B", "paper_ratio")
                  .get<double>(),
              8.394, 1e-4);
}

TEST(Experiment, TablesOfPairsChangeOneThing) {
  const TemporaryFolder folder;
  const json document = run_json(on_task("table3", folder.file("out")));
  const json& table = document["tables"]["table3"];
  expect_as_evaluated(table, "e 10 bits 1-4 window 1",
                      {"--set", "target_quantization_error=10", "--set", "n_bits_max=4", "--set",
                       "last_n_attentions=1"});
  const json& pairs = document["tables"]["table3-pairs"];
  const double change = cell(table, "setting", "e 10 bits 1-4 window 5", "accuracy").get<double>() -
                        cell(table, "setting", "e 10 bits 1-4 window 1", "accuracy").get<double>();
  EXPECT_NEAR(cell(pairs, "first", "e 10 bits 1-4 window 1", "accuracy_change").get<double>(),
              change, 1e-6);
}

TEST(Experiment, Fig2bListsWhatItsMatrixShows) {
  const TemporaryFolder folder;
  const json document =
      run_json(on_task("fig2b", folder.file("out"), {"--layer", "0", "--head", "1"}));
  const json& rows = document["tables"]["fig2b"]["rows"];
  EXPECT_EQ(std::ssize(rows), document["n"].get<std::int64_t>());
  for (std::size_t s = 0; s < rows.size(); ++s) {
    double sum = 0;
    for (std::size_t t = 0; t <= s; ++t) sum += rows[s][t + 1].get<double>();
    EXPECT_NEAR(sum, 1, 1e-5) << s;
    if (s + 2 < rows[s].size()) {
      EXPECT_TRUE(rows[s][s + 2].is_null()) << "the future";
    }
  }
  // Counted again from the matrix.
  std::int64_t n = 0;
  for (std::size_t s = 5; s < rows.size(); ++s) {
    for (std::size_t t = 0; t + 4 < s; ++t) {
      double before = 0;
      for (std::size_t i = s - 5; i < s; ++i)
        before = std::max(before, rows[i][t + 1].get<double>());
      const double score = rows[s][t + 1];
      if (score > 4 * before && score > 4.0 / static_cast<double>(s + 1)) ++n;
    }
  }
  EXPECT_EQ(std::ssize(document["tables"]["fig2b-violations"]["rows"]), n);
}

TEST(Experiment, Fig2cCountsEveryValue) {
  const TemporaryFolder folder;
  const json document = run_json(on_task("fig2c", folder.file("out")));
  const json &bins = document["tables"]["fig2c"], &sums = document["tables"]["fig2c-sums"];
  ASSERT_EQ(bins["rows"].size(), 4000u);
  for (const json& sum : sums["rows"]) {
    std::int64_t n = 0;
    for (const json& bin : bins["rows"]) {
      if (bin[0] == sum[0] && bin[1] == sum[1]) n += bin[column(bins, "count")].get<std::int64_t>();
    }
    const auto at = [&](const char* name) { return sum[column(sums, name)].get<std::int64_t>(); };
    EXPECT_EQ(n + at("n_below") + at("n_above"), at("n_values"));
    EXPECT_GT(n, 0);
  }
}

TEST(Experiment, DriftIsWhatStreamingSays) {
  const TemporaryFolder folder;
  const std::string text = folder.file("text.txt"), tokens = folder.file("tokens.json"),
                    capture = folder.file("text.h5");
  std::ofstream(text) << bytes_of_file(kTask).substr(0, 1500);
  const json document =
      run_json({"experiment", "drift", "--model", kTiny, "--text", text, "-o", folder.file("out")});
  const json& table = document["tables"]["drift"];
  const std::int64_t n = document["n"], prompt = 48;
  EXPECT_EQ(n, document["n_available"]);

  const json ids = run_json({"tokenize", "--model", kTiny, "--file", text})["ids"];
  std::ofstream(tokens) << json(std::vector<json>(ids.begin(), ids.begin() + prompt + n));
  run_json({"capture", "--model", kTiny, "--tokens", tokens, "--attention", "derive", "--dtype",
            "f16", "-o", capture});
  const auto steps_of = [&](const Words& more) {
    Words words{"replay", capture, "--streaming", "--prefill", "48", "--set", "plan_stride=16"};
    words.insert(words.end(), more.begin(), more.end());
    return run_json(words)["steps"];
  };
  const Words flat{"--set", "use_attentions=false", "--set", "n_bits_uniform=3"};
  Words history = flat;
  history.insert(history.end(), {"--set", "requantize_history=true"});
  std::map<std::string, json> wanted{
      {"flat 3 bits mean_centred: once", steps_of(flat)},
      {"flat 3 bits mean_centred: history at each flush", steps_of(history)},
      {"qaq e 3 bits 1-4: lowered in steps",
       steps_of({"--set", "target_quantization_error=3", "--set", "n_bits_min=1", "--set",
                 "n_bits_max=4"})}};
  std::int64_t n_rows = 0;
  for (const json& row : table["rows"]) {
    const auto found = wanted.find(row[column(table, "method")]);
    if (found == wanted.end()) continue;
    ++n_rows;
    const std::int64_t first = row[column(table, "first_step")],
                       last = row[column(table, "last_step")];
    for (const char* name : {"output_error", "attention_error"}) {
      double mean = 0;
      for (std::int64_t step = first; step <= last; ++step) {
        mean += found->second[name][static_cast<std::size_t>(step - 1)].get<double>() /
                static_cast<double>(last - first + 1);
      }
      EXPECT_NEAR(row[column(table, name)].get<double>(), mean, 1e-5 * mean) << found->first;
    }
  }
  EXPECT_EQ(n_rows, 3 * 8);
  // Flat bits quantize a number once, or at every flush that it is there.
  const json& left = document["tables"]["drift-caches"];
  const auto times = [&](std::size_t i) {
    return left["rows"][i][column(left, "times_quantized")].get<double>();
  };
  EXPECT_LE(times(0), 1);
  EXPECT_GT(times(1), 2);
}

// A text of the tiny model, and its capture as experiments make it.
struct ExtensionText {
  explicit ExtensionText(const TemporaryFolder& folder)
      : text(folder.file("text.txt")), capture(folder.file("text.h5")) {
    std::ofstream(text) << bytes_of_file(kTask).substr(0, 400);
  }
  json run(const std::string& name, const std::string& out) const {
    return run_json(
        {"experiment", name, "--model", kTiny, "--text", text, "-o", out, "--no-figure"});
  }
  // The capture of the first `n` tokens, of which experiments quantize two thirds.
  void make(const TemporaryFolder& folder, std::int64_t n) const {
    const json ids = run_json({"tokenize", "--model", kTiny, "--file", text})["ids"];
    const std::string tokens = folder.file("tokens.json");
    std::ofstream(tokens) << json(std::vector<json>(ids.begin(), ids.begin() + n));
    run_json({"capture", "--model", kTiny, "--tokens", tokens, "--attention", "derive", "--dtype",
              "f16", "-o", capture});
  }
  json replay(std::int64_t n, const Words& more) const {
    Words words{"replay", capture, "--prefix", std::to_string((2 * n + 2) / 3)};
    words.insert(words.end(), more.begin(), more.end());
    return run_json(words)["metrics"];
  }
  std::string text, capture;
};

void expect_verdict(const json& document) {
  const std::string first = document["remarks"][0];
  EXPECT_TRUE(first.starts_with("Helps on this capture: ") ||
              first.starts_with("Does not help on this capture: "))
      << first;
}

TEST(Experiment, ExtNsigmaIsWhatReplaysSayAtEqualBytes) {
  const TemporaryFolder folder;
  const ExtensionText on(folder);
  const json document = on.run("ext-nsigma", folder.file("out"));
  const json& table = document["tables"]["ext-nsigma"];
  const std::int64_t n = document["n"];
  on.make(folder, n);
  int n_checked = 0;
  for (const json& row : table["rows"]) {
    const auto at = [&](const char* name) { return row[column(table, name)]; };
    EXPECT_LE(at("packed_bits"), at("budget"));
    Words words{"--set", "n_bits_min=0", "--set", "target_quantization_error=" + at("e").dump()};
    if (at("rule") == "nsigma 2.5") {
      words.insert(words.end(), {"--set", "outlier_rule=nsigma", "--set", "n_sigma=2.5"});
    } else if (at("rule") == "none") {
      words.insert(words.end(), {"--set", "outliers_ratio=0"});
    } else {
      continue;
    }
    const json metrics = on.replay(n, words);
    // Targets are written with seven digits, so a unit may fall to the other side of a bit.
    const double error = metrics["output_error"], bits = metrics["key_mean_bits"];
    EXPECT_NEAR(at("output_error").get<double>(), error, 0.02 * error) << row;
    EXPECT_NEAR(at("key_bits").get<double>(), bits, 0.02 * bits) << row;
    ++n_checked;
  }
  EXPECT_GE(n_checked, 4);
  expect_verdict(document);
}

TEST(Experiment, ExtSparseTopKIsWhatReplaysSay) {
  const TemporaryFolder folder;
  const ExtensionText on(folder);
  const json document = on.run("ext-sparse-top-k", folder.file("out"));
  const json& table = document["tables"]["ext-sparse-top-k"];
  const std::int64_t n = document["n"];
  on.make(folder, n);
  int n_checked = 0;
  for (const json& row : table["rows"]) {
    if (row[column(table, "cache")] != "qaq e 1 bits 1-8") continue;
    const std::int64_t k = row[column(table, "top_k")];
    if (k != 4 && k != n) continue;
    const json metrics = on.replay(n, {"--set", "sparse_top_k=" + std::to_string(k == n ? 0 : k)});
    for (const char* name : {"output_error", "attention_error"}) {
      const double want = metrics[name];
      EXPECT_NEAR(row[column(table, name)].get<double>(), want, 1e-5 * want) << row;
    }
    ++n_checked;
  }
  EXPECT_EQ(n_checked, 2);
  expect_verdict(document);
}

TEST(Experiment, ExtPruneIsWhatEvaluateSays) {
  const TemporaryFolder folder;
  const ExtensionText on(folder);
  const json document = on.run("ext-prune", folder.file("out"));
  const json& table = document["tables"]["ext-prune"];
  const std::int64_t n = document["n"], prefix = (2 * n + 2) / 3;
  EXPECT_EQ(n, document["n_available"]);
  constexpr int kPolicies = 3, kFlatTwo = 2;
  ASSERT_EQ(table["rows"].size(), 7u * kPolicies) << "shares 0 to 0.6";
  for (const auto& [index, share] : {std::pair{0, "0"}, std::pair{3, "0.3"}, std::pair{6, "0.6"}}) {
    const json& row = table["rows"][static_cast<std::size_t>(index * kPolicies + kFlatTwo)];
    EXPECT_EQ(row[column(table, "policy")], "flat 2 bits");
    EXPECT_FLOAT_EQ(row[column(table, "share")].get<float>(), 0.1f * static_cast<float>(index));
    const json evaluated = run_json({"evaluate", "--model", kTiny, "--text", on.text, "--dtype",
                                     "f16", "--prefix", std::to_string(prefix), "--set",
                                     "use_attentions=false", "--prune-weights", share});
    EXPECT_EQ(evaluated["prune_weights"], std::stod(share));
    const std::string model = evaluated["model"];
    EXPECT_EQ(model.find("prune_weights") != std::string::npos, index > 0) << model;
    for (const auto& [ours, theirs] :
         {std::pair{"kl", "kl_mean"}, std::pair{"ratio_packed", "ratio_packed"},
          std::pair{"attention_error", "attention_error"}}) {
      const double want = evaluated["metrics"][theirs];
      EXPECT_NEAR(row[column(table, ours)].get<double>(), want, 1e-5 * want) << share << ours;
    }
  }
  expect_verdict(document);
  const ProgramResult refused = run_qaq(
      {"experiment", "ext-prune", "--model", kTiny, "--text", on.text, "--prune-weights", "0.5"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("--prune-weights"), std::string::npos) << refused.err;
}

TEST(Experiment, NoFigureLeavesNone) {
  const TemporaryFolder folder;
  const json document = run_json(on_task("cost", folder.file("out"), {"--no-figure"}));
  EXPECT_FALSE(std::filesystem::exists(folder.file("out/cost.png")));
  EXPECT_EQ(bytes_of_file(folder.file("out/cost.md")).find("!["), std::string::npos);
  for (const json& path : document["files"]) {
    EXPECT_FALSE(path.get<std::string>().ends_with(".png"));
  }
}

TEST(Experiment, WithoutTheWindowProgramThePageIsWholeAndSaysHowToDraw) {
  const TemporaryFolder folder;
  std::filesystem::copy_file(QAQ_PROGRAM, folder.file("qaq"));
  Words words = on_task("cost", folder.file("an out"));
  words.insert(words.begin(), folder.file("qaq"));
  const ProgramResult alone = test::run_program(words);
  EXPECT_EQ(alone.exit_code, 0) << alone.err;
  const std::string cure = "qaq-scope figure experiment '" + folder.file("an out/cost.json") + "'";
  EXPECT_NE(alone.err.find(cure), std::string::npos) << alone.err;
  EXPECT_EQ(bytes_of_file(folder.file("an out/cost.md")).find("!["), std::string::npos);
  // One that fails is quoted.
  std::ofstream(folder.file("qaq-scope")) << "#!/bin/sh\necho no ink; exit 1\n";
  std::filesystem::permissions(folder.file("qaq-scope"), std::filesystem::perms::owner_all);
  const ProgramResult failing = test::run_program(words);
  EXPECT_EQ(failing.exit_code, 0) << failing.err;
  EXPECT_NE(failing.err.find("no figure: no ink; draw it later"), std::string::npos) << failing.err;
  EXPECT_EQ(names_in(folder.file("an out")).size(), 4u) << "two tables, the document, the page";
}

TEST(Experiment, MinutesAndLimitBoundTheQuestions) {
  const TemporaryFolder folder;
  const json limited = run_json(on_task("table2", folder.file("out"), {"--limit", "4"}));
  EXPECT_EQ(limited["n"], 4);
  EXPECT_EQ(limited["n_available"], 4);
  const json hurried = run_json(on_task("table2", folder.file("out"), {"--minutes", "1e-6"}));
  EXPECT_LE(hurried["n"], 2) << "no more than are timed";
  EXPECT_GE(hurried["n"], 1);
  EXPECT_EQ(hurried["n_available"], 9);
}

// What seeds draw, run by themselves.
json table_of_seed(const std::string& seed, const std::string& folder) {
  return run_json(on_task("table2", folder, {"--limit", "4", "--seeds", seed}))["tables"]["table2"];
}

TEST(Experiment, SeedsAreRunsOfTheirOwnWithTheirSpread) {
  const TemporaryFolder folder;
  const json document =
      run_json(on_task("table2", folder.file("out"), {"--limit", "4", "--seeds", "42,7,0"}));
  EXPECT_EQ(document["n"], 4);
  const json& tables = document["tables"];
  const json& all = tables["table2"];
  EXPECT_EQ(column(all, "seed"), 0u);
  EXPECT_EQ(column(tables["table2-pairs"], "seed"), 0u);
  json rows = json::array();
  std::map<std::string, std::vector<double>> kl, accuracy;
  for (const char* seed : {"42", "7", "0"}) {
    const json alone = table_of_seed(seed, folder.file("alone"));
    for (const json& row : alone["rows"]) {
      rows.push_back(row);
      EXPECT_EQ(row[0].dump(), seed);
      const std::string setting = row[column(all, "setting")];
      kl[setting].push_back(row[column(all, "kl_mean")]);
      accuracy[setting].push_back(row[column(all, "accuracy")]);
    }
  }
  EXPECT_EQ(all["rows"], rows);
  const json& seeds = tables["table2-seeds"];
  EXPECT_EQ(seeds["rows"].size(), rows.size() / 3);
  for (const json& row : seeds["rows"]) {
    const std::string setting = row[column(seeds, "setting")];
    const auto expect = [&](const std::string& name, const std::vector<double>& values) {
      const auto [low, high] = std::ranges::minmax(values);
      const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 3;
      EXPECT_NEAR(row[column(seeds, name + "_mean")].get<double>(), mean, 1e-6) << setting;
      EXPECT_EQ(row[column(seeds, name + "_min")], low) << setting;
      EXPECT_EQ(row[column(seeds, name + "_max")], high) << setting;
    };
    expect("kl", kl.at(setting));
    expect("accuracy", accuracy.at(setting));
  }
  const std::string page = bytes_of_file(folder.file("out/table2.md"));
  EXPECT_NE(page.find("random.sample does, by seed: 42 (n = 4), 7 (n = 4), 0 (n = 4)"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("* Seed 7: "), std::string::npos) << page;
  // As `qaq evaluate` draws them.
  const json metrics =
      run_json({"evaluate", "--model", kTiny, "--task", kTask, "--limit", "4", "--seed", "7",
                "--set", "target_quantization_error=3", "--set", "n_bits_max=4", "--set",
                "outliers_ratio=0", "--dtype", "f16"})["metrics"];
  EXPECT_NEAR(kl.at("e 3 bits 1-4 without outliers").at(1), metrics["kl_mean"].get<double>(), 1e-6);
}

TEST(Experiment, SeedsShareTheMinutes) {
  const TemporaryFolder folder;
  const json document =
      run_json(on_task("table3", folder.file("out"), {"--minutes", "1e-6", "--seeds", "1,2"}));
  EXPECT_EQ(document["n"], 1);
  EXPECT_EQ(document["n_available"], 9);
  EXPECT_TRUE(document["tables"].contains("table3-seeds"));
}

TEST(Experiment, QuestionsBeyondTheContextAreNamed) {
  const TemporaryFolder folder;
  std::string words = "q";
  for (int i = 0; i < 3000; ++i) words += " q";
  std::ofstream(folder.file("task.jsonl"))
      << json{{"id", "endless"}, {"question", words}, {"choices", {"a", "b"}}, {"answer", 0}}
      << '\n'
      << R"({"question": "Which?", "choices": ["this", "that"], "answer": 1})" << '\n';
  const json document = run_json({"experiment", "fig2a", "--model", kTiny, "--task",
                                  folder.file("task.jsonl"), "-o", folder.file("out")});
  EXPECT_EQ(document["n_available"], 1);
  EXPECT_EQ(document["too_long"], json({"endless"}));
  const std::string page = bytes_of_file(folder.file("out/fig2a.md"));
  EXPECT_NE(page.find("longer than the model's context: 1 (endless)"), std::string::npos) << page;
}

TEST(Experiment, RefusesInOneLine) {
  const TemporaryFolder folder;
  const auto refused = [&](const Words& words, int code, const std::string& says) {
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_EQ(n_lines(result.err), 1) << result.err;
    EXPECT_NE(result.err.find(says), std::string::npos) << result.err;
  };
  refused(on_task("fig2d", folder.file("out")), 2, "did you mean fig2");
  refused({"experiment", "fig4", "--model", kTiny}, 2, "--task");
  refused({"experiment", "fig4", "--task", kTask}, 2, "--model");
  refused({"experiment", "fig4", "--model", kTiny, "--text", kTask}, 2, "needs --task");
  refused(on_task("fig2b", folder.file("out"), {"--head", "99"}), 2, "no query head 99");
  refused(on_task("fig2b", folder.file("out"), {"--layer", "99"}), 2, "no layer 99");
  refused(on_task("fig2a", folder.file("out"), {"--minutes", "0"}), 2, "--minutes");
  refused(on_task("fig2c", folder.file("out"), {"--seeds", "42"}), 2, "fig2c asks no questions");
  refused(on_task("fig4", folder.file("out"), {"--seeds", "42,42"}), 2, "twice");
  refused(on_task("fig4", folder.file("out"), {"--seeds", "-1"}), 2, "--seeds");
  EXPECT_FALSE(std::filesystem::exists(folder.file("out"))) << "nothing is written when refused";
}

}  // namespace
}  // namespace qaq
