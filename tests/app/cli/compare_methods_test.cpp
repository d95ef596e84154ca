// `qaq compare-methods`: one table on a capture or a task; its files say the same as replays do.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <set>
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

const std::string kSample = std::string(QAQ_SOURCE_DIR) + "/data/samples/letter.h5";

// Rows of a table of the document, by column.
std::vector<json> rows_of(const json& document, const std::string& stem) {
  const json& table = document["tables"][stem];
  std::vector<json> out;
  for (const json& row : table["rows"]) {
    json named;
    for (std::size_t i = 0; i < row.size(); ++i) {
      named[table["columns"][i]["name"].get<std::string>()] = row[i];
    }
    out.push_back(std::move(named));
  }
  return out;
}

json row_at(const json& document, const std::string& stem, const std::string& method,
            double budget) {
  for (json& row : rows_of(document, stem)) {
    if (row["method"] == method && row["budget"] == budget) return row;
  }
  ADD_FAILURE() << stem << " has no " << method << " at " << budget;
  return {};
}

// What does not depend on the clock or on where files are.
json timeless(json document) {
  document.erase("timing");
  document.erase("files");
  document.erase("provenance");
  json& table = document["tables"]["compare-methods"];
  for (json& row : table["rows"]) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (table["columns"][i]["name"].get<std::string>().ends_with("_seconds")) row[i] = nullptr;
    }
  }
  return document;
}

class CompareMethods : public testing::Test {
 protected:
  Words on_capture(const Words& more) const {
    Words words{"compare-methods", kSample, "--prefix", "48", "--rows", "8"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  test::TemporaryFolder folder_;
};

TEST_F(CompareMethods, ARowIsWhatReplaySaysOfItsSetting) {
  const json document = run_json(
      on_capture({"--budget", "3,4", "--methods", "qaq,uniform,q8_0", "-o", folder_.file("out")}));
  EXPECT_EQ(document["mode"], "batch");
  EXPECT_EQ(document["n"], 8);
  EXPECT_EQ(document["dtype"], "f16");
  EXPECT_EQ(rows_of(document, "compare-methods").size(), 6u);
  for (const std::string method : {"qaq", "uniform"}) {
    for (const double budget : {3.0, 4.0}) {
      const json row = row_at(document, "compare-methods", method, budget);
      EXPECT_EQ(row["met"], "yes") << row;
      EXPECT_LE(std::abs(budget / row["ratio_packed"].get<double>() - 1), 0.01) << row;
      Words words{"replay", kSample, "--prefix", "48", "--policy", method};
      std::istringstream setting(
          row_at(document, "compare-methods-settings", method, budget)["setting"]
              .get<std::string>());
      for (std::string each; setting >> each;) words.insert(words.end(), {"--set", each});
      const json replayed = run_json(words);
      const json bytes = row_at(document, "compare-methods-bytes", method, budget);
      for (const auto& [name, n] : bytes.items()) {
        if (name == "method" || name == "budget" || name == "positions") continue;
        const std::string as = name == "total" ? "total" : name;
        EXPECT_EQ(n.get<std::int64_t>(),
                  replayed["metrics"]["key_packed_bytes"][as].get<std::int64_t>() +
                      replayed["metrics"]["value_packed_bytes"][as].get<std::int64_t>())
            << name;
      }
      EXPECT_NEAR(row["ratio_packed"].get<double>(),
                  replayed["metrics"]["ratio_packed"].get<double>(), 1e-5);
      EXPECT_GT(row["output_error"], 0);
      EXPECT_GT(row["attention_error"], 0);
      EXPECT_TRUE(row["plan_seconds"].is_number() && row["code_seconds"].is_number());
    }
  }
  // 8.5 bits a value, whatever is asked for.
  const json q8 = row_at(document, "compare-methods", "q8_0", 4);
  EXPECT_EQ(q8["met"], "cannot");
  EXPECT_NEAR(q8["ratio_packed"].get<double>(), 16 / 8.5, 1e-5);
  EXPECT_EQ(row_at(document, "compare-methods-settings", "q8_0", 4)["note"], "nearest 1.882");
  EXPECT_NE(document["remarks"].dump().find("q8_0 cannot meet 4 x"), std::string::npos);
}

TEST_F(CompareMethods, EveryMethodIsThereAndThreadsChangeNoNumber) {
  const auto on = [&](const std::string& threads) {
    return timeless(run_json(on_capture(
        {"--budget", "4", "--threads", threads, "--no-figure", "-o", folder_.file(threads)})));
  };
  const json document = on("1");
  std::set<std::string> methods;
  for (const json& row : rows_of(document, "compare-methods")) methods.insert(row["method"]);
  for (const char* name : {"qaq", "uniform", "kivi", "q8_0", "q4_0"}) {
    EXPECT_TRUE(methods.contains(name)) << name;
  }
  EXPECT_FALSE(methods.contains("full")) << "it saves nothing";
  EXPECT_EQ(on("3"), document);
}

TEST_F(CompareMethods, WritesTablesPageDocumentAndFigure) {
  const json document = run_json(
      on_capture({"--budget", "3,4", "--methods", "uniform,q4_0", "-o", folder_.file("out")}));
  for (const char* stem : {"compare-methods", "compare-methods-front", "compare-methods-bytes",
                           "compare-methods-settings"}) {
    const std::string csv = bytes_of_file(folder_.file(std::string("out/") + stem + ".csv"));
    EXPECT_EQ(std::ranges::count(csv, '\n'), std::ssize(document["tables"][stem]["rows"]) + 1);
  }
  const json stored = json::parse(bytes_of_file(folder_.file("out/compare-methods.json")));
  EXPECT_EQ(stored["tables"], document["tables"]);
  EXPECT_FALSE(stored["chart"]["panels"].empty());
  const std::string page = bytes_of_file(folder_.file("out/compare-methods.md"));
  for (const char* word : {"| method |", "| uniform | 4 | yes |", "letter.h5", "n = 8"}) {
    EXPECT_NE(page.find(word), std::string::npos) << word << " in " << page;
  }
  // The front by hand: no row of the main table saves as much and loses less.
  const auto all = rows_of(document, "compare-methods");
  std::set<double> front;
  for (const json& row : rows_of(document, "compare-methods-front"))
    front.insert(row["ratio_packed"].get<double>());
  for (const json& row : all) {
    const bool beaten = std::ranges::any_of(all, [&](const json& other) {
      return other["ratio_packed"] >= row["ratio_packed"] &&
             other["output_error"] <= row["output_error"] &&
             (other["ratio_packed"] > row["ratio_packed"] ||
              other["output_error"] < row["output_error"]);
    });
    EXPECT_EQ(front.contains(row["ratio_packed"].get<double>()), !beaten) << row;
  }
#ifdef QAQ_HAS_SCOPE
  EXPECT_TRUE(bytes_of_file(folder_.file("out/compare-methods.png")).starts_with("\x89PNG"));
#endif
}

TEST_F(CompareMethods, OneFileWhereOneIsNamed) {
  for (const char* name : {"table.csv", "table.md", "table.json"}) {
    const std::string path = folder_.file(name);
    const ProgramResult result =
        run_qaq(on_capture({"--budget", "4", "--methods", "uniform", "--quiet", "-o", path}));
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.out.find("| uniform |"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("At 4 x uniform loses least"), std::string::npos) << result.out;
  }
  EXPECT_TRUE(bytes_of_file(folder_.file("table.csv")).starts_with("method,budget [1],met,"));
  EXPECT_TRUE(bytes_of_file(folder_.file("table.md")).starts_with("# compare-methods"));
  EXPECT_EQ(json::parse(bytes_of_file(folder_.file("table.json")))["schema_version"], 1);
  EXPECT_EQ(std::ranges::distance(std::filesystem::directory_iterator(
                std::filesystem::path(folder_.file("table.csv")).parent_path())),
            3);
}

TEST_F(CompareMethods, AModelAddsAnswers) {
  const json document =
      run_json({"compare-methods", "--model", kTiny, "--task", kTask, "--budget", "1.5,2",
                "--methods", "qaq,h2o,uniform", "--dtype", "f16", "-o", folder_.file("out")});
  EXPECT_EQ(document["mode"], "in-the-model");
  EXPECT_EQ(document["n"], 9);
  for (const auto& [method, budget] :
       {std::pair<std::string, double>{"qaq", 1.5}, {"qaq", 2.0}, {"h2o", 2.0}, {"uniform", 2.0}}) {
    SCOPED_TRACE(method);
    const json row = row_at(document, "compare-methods", method, budget);
    if (method == "qaq") {
      EXPECT_EQ(row["met"], "yes") << row;
    }
    EXPECT_EQ(row["n"], 9);
    EXPECT_GT(row["kl_mean"], 0);
    EXPECT_LE(row["change_low"], row["accuracy_change"]);
    EXPECT_LE(row["accuracy_change"], row["change_high"]);
    // The same setting, asked of the model alone.
    Words words{"evaluate", "--model", kTiny,      "--task", kTask,
                "--dtype",  "f16",     "--policy", method};
    std::istringstream setting(
        row_at(document, "compare-methods-settings", method, budget)["setting"].get<std::string>());
    for (std::string each; setting >> each;) words.insert(words.end(), {"--set", each});
    const json metrics = run_json(words)["metrics"];
    EXPECT_NEAR(row["kl_mean"].get<double>(), metrics["kl_mean"].get<double>(),
                1e-6 * metrics["kl_mean"].get<double>());
    EXPECT_NEAR(row["ratio_packed"].get<double>(), metrics["ratio_packed"].get<double>(), 1e-5);
    EXPECT_NEAR(row["accuracy"].get<double>(), metrics["accuracy"].get<double>(), 1e-6);
    EXPECT_NEAR(row["attention_error"].get<double>(), metrics["attention_error"].get<double>(),
                1e-6 * metrics["attention_error"].get<double>());
  }
  EXPECT_EQ(document["chart"]["panels"].size(), 2u);
}

TEST_F(CompareMethods, WhatItCannotDoIsRefused) {
  const auto expect = [&](const Words& words, int code, const char* word) {
    const ProgramResult result = run_qaq(words);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
    EXPECT_NE(result.err.find(word), std::string::npos) << word << " in " << result.err;
  };
  const std::string out = folder_.file("out");
  expect({"compare-methods", "-o", out}, 2, "qaq compare-methods CAPTURE.h5");
  expect({"compare-methods", "--task", kTask, "-o", out}, 2, "--model");
  expect(on_capture({"--budget", "4,half"}), 2, "half");
  expect(on_capture({"--budget", "0.5"}), 2, "--budget");
  expect(on_capture({"--budget", "4,4"}), 2, "twice");
  expect(on_capture({"--methods", "kiwi"}), 2, "did you mean kivi");
  expect(on_capture({"--minutes", "1"}), 2, "--task");
  expect({"compare-methods", folder_.file("none.h5")}, 3, "none.h5");
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(CompareMethods, HelpNamesMethodsTheirParametersAndExamples) {
  const ProgramResult help = run_qaq({"compare-methods", "--help"});
  for (const char* word :
       {"qaq: target_quantization_error, level", "q8_0: nothing",
        "kivi: k_bits, v_bits, group_size, residual_length", "qaq compare-methods story.h5"}) {
    EXPECT_NE(help.out.find(word), std::string::npos) << word << " in " << help.out;
  }
}

}  // namespace
}  // namespace qaq
