// Results as an HDF5 table: its columns, read back with the library's own readers, and its runs.
#include "data/results/results_table.h"

#include <cmath>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "data/capture/column_file.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_thread.h"
#include "data/results/results_file.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;
using test::bytes_of_file;

ResultRecord record(const std::string& hash, double error, Json metrics) {
  QaqParams params;
  set_parameter(params, "target_quantization_error", ParameterValue(error));
  return {authors_params(params, {"a-model", "a task", 7}), authors_results(metrics),
          Json{{"hash", hash},
               {"mode", "batch"},
               {"parameters", parameters_json(list_parameters(params))},
               {"metrics", std::move(metrics)}}};
}

ResultRecord record_of_authors() {
  ResultRecord out = record("", 30, {{"accuracy", 0.5}});
  out.qaq_scope = nullptr;
  return out;
}

std::vector<ResultRecord> three_runs() {
  return {record("a", 1.1,
                 {{"kl_mean", 0.1},
                  {"n_bytes", 5'000'000'000},
                  {"in_sample", true},
                  {"wilson", {0.25, 0.75}}}),
          record("b", 3,
                 {{"kl_mean", 1e-300}, {"n_bytes", 2}, {"in_sample", false}, {"wilson", {0, 1}}}),
          record_of_authors()};
}

class ResultsTable : public testing::Test {
 protected:
  template <class T>
  std::vector<T> column(const std::string& name) const {
    return h5::thread().run(
        [&] { return h5::read_array<T>(h5::File(path_, h5::Access::read), "/" + name); });
  }
  std::vector<std::string> texts(const std::string& name) const {
    return read_text_column(path_, kResultsTable, name);
  }
  static std::string dump(const std::vector<ResultRecord>& records) {
    std::string out;
    for (const ResultRecord& each : records) out += to_json(each).dump() + "\n";
    return out;
  }

  test::TemporaryFolder folder_;
  const std::string path_ = folder_.file("results.h5");
};

TEST_F(ResultsTable, HasAColumnForEachParameterAndMetric) {
  auto runs = three_runs();
  runs.pop_back();
  write_results(path_, runs, {{"program", "qaq"}, {"n_threads", 2}});
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"results.h5"});
  EXPECT_EQ(column<double>("key.target_quantization_error"), (std::vector<double>{1.1, 3}));
  EXPECT_EQ(column<double>("kl_mean"), (std::vector<double>{0.1, 1e-300})) << "nothing is rounded";
  EXPECT_EQ(column<std::int64_t>("n_bytes"), (std::vector<std::int64_t>{5'000'000'000, 2}));
  EXPECT_EQ(column<std::int64_t>("question_count"), (std::vector<std::int64_t>{7, 7}));
  EXPECT_EQ(column<double>("wilson.0"), (std::vector<double>{0.25, 0}));
  EXPECT_EQ(column<double>("wilson.1"), (std::vector<double>{0.75, 1}));
  EXPECT_EQ(column<std::int32_t>("in_sample"), (std::vector<std::int32_t>{1, 0}));
  EXPECT_EQ(texts("hash"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(texts("key.level"), (std::vector<std::string>{"head", "head"}));
  EXPECT_TRUE(std::isnan(column<double>("accuracy").at(0))) << "was not measured";
  h5::thread().run([&] {
    const h5::File file(path_, h5::Access::read);
    const h5::Attributes root(file, "/");
    EXPECT_EQ(root.text("program"), "qaq");
    EXPECT_EQ(root.integer("n_threads"), 2);
  });
}

TEST_F(ResultsTable, WhatSomeRunsLackIsNotANumber) {
  write_results(path_, three_runs());
  EXPECT_EQ(column<double>("accuracy").at(2), 0.5);
  EXPECT_TRUE(std::isnan(column<double>("n_bytes").at(2)));
  EXPECT_EQ(column<double>("n_bytes").at(0), 5e9);
  EXPECT_EQ(column<double>("value.target_quantization_error"), (std::vector<double>{1.1, 3, 30}))
      << "the authors' names, too";
  EXPECT_EQ(texts("in_sample"), (std::vector<std::string>{"true", "false", ""}));
}

TEST_F(ResultsTable, RunsComeBackAsTheyWere) {
  write_results(path_, three_runs());
  EXPECT_EQ(dump(read_results(path_)), dump(three_runs()));
  write_results(path_, {});
  EXPECT_EQ(read_results(path_).size(), 0u);
}

TEST_F(ResultsTable, ContentAndNotTheNameTellsWhatAFileIs) {
  write_results(folder_.file("a.h5"), three_runs());
  std::filesystem::rename(folder_.file("a.h5"), folder_.file("a.json"));
  write_results(folder_.file("b.json"), three_runs());
  std::filesystem::rename(folder_.file("b.json"), folder_.file("b.h5"));
  EXPECT_EQ(dump(read_results(folder_.file("a.json"))), dump(three_runs()));
  EXPECT_EQ(dump(read_results(folder_.file("b.h5"))), dump(three_runs()));
}

TEST_F(ResultsTable, UntilItIsFinishedRunsAreInAJournalBesideIt) {
  {
    ResultsJournal journal(path_);
    journal.append(three_runs()[0]);
    EXPECT_EQ(folder_.names(), std::vector<std::string>{"results.h5.runs.json"});
    EXPECT_EQ(read_results(journal.journal_path()).size(), 1u);
  }  // as a kill would end it
  {
    ResultsJournal journal(path_);
    EXPECT_TRUE(journal.has("a"));
    journal.append(three_runs()[1]);
    journal.finish();
  }
  EXPECT_EQ(folder_.names(), std::vector<std::string>{"results.h5"});
  {
    ResultsJournal journal(path_);  // goes on with a finished one
    EXPECT_EQ(journal.records().size(), 2u);
    journal.append(record("c", 10, Json::object()));
  }
  // The table and the journal of a sweep that was killed have runs in common.
  ResultsJournal journal(path_);
  EXPECT_EQ(journal.records().size(), 3u);
  journal.finish();
  const std::string json = folder_.file("results.json");
  ResultsJournal other(json);
  for (const ResultRecord& each : read_results(path_)) other.append(each);
  other.finish();
  EXPECT_EQ(dump(read_results(path_)), dump(read_results(json)));
}

TEST_F(ResultsTable, OtherFilesAreRefusedAndLeftAlone) {
  const auto refuses = [&](const std::string& word) {
    const std::string before = bytes_of_file(path_);
    try {
      ResultsJournal journal(path_);
      ADD_FAILURE() << "taken";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
    }
    EXPECT_EQ(bytes_of_file(path_), before);
    EXPECT_EQ(folder_.names(), std::vector<std::string>{"results.h5"});
  };
  write_columns(path_, "qaq-table", {{kRecordColumn, std::vector<std::string>{"{}"}}},
                Json::object());
  refuses("qaq-results");
  write_columns(path_, kResultsTable, {{kRecordColumn, std::vector<std::string>{"{"}}},
                Json::object());
  refuses("/record_json[0]: is not valid JSON");
  write_columns(path_, kResultsTable, {{kRecordColumn, std::vector<std::string>{"{}"}}},
                Json::object());
  refuses("/record_json[0]/params");
  write_columns(path_, kResultsTable, {}, Json::object());
  refuses("record_json");
  std::ofstream(path_) << "notes of mine\n";
  refuses("JSON");
  write_results(path_, three_runs());
  std::filesystem::resize_file(path_, 900);
  refuses("results.h5");
}

}  // namespace
}  // namespace qaq
