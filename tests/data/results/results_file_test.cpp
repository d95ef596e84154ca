#include "data/results/results_file.h"

#include <fstream>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/support/temporary_folder.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;
using test::bytes_of_file;

ResultRecord record(const std::string& hash, double error = 1) {
  QaqParams params;
  set_parameter(params, "target_quantization_error", ParameterValue(error));
  return {authors_params(params, {"a-model", "a-capture", 0}), authors_results(Json::object()),
          Json{{"hash", hash}}};
}

class ResultsFile : public testing::Test {
 protected:
  void write(const std::string& text) { std::ofstream(path_) << text; }
  std::vector<std::string> hashes() const {
    std::vector<std::string> out;
    for (const ResultRecord& r : read_results(path_)) out.push_back(r.hash());
    return out;
  }
  testing::AssertionResult refuses(const std::string& text, const std::string& word) {
    write(text);
    try {
      read_results(path_);
    } catch (const Error& error) {
      if (std::string(error.what()).find(word) != std::string::npos) {
        return testing::AssertionSuccess();
      }
      return testing::AssertionFailure() << error.what();
    }
    return testing::AssertionFailure() << "taken";
  }

  test::TemporaryFolder folder_;
  const std::string path_ = folder_.file("results.json");
};

using Names = std::vector<std::string>;

TEST_F(ResultsFile, TheAuthorsNamesInTheirOrder) {
  QaqParams params;
  set_parameter(params, "value.use_attentions", ParameterValue(false));
  set_parameter(params, "key.method", ParameterValue(std::string("uniform")));
  const Json json = authors_params(params, {"m", "d", 1000});
  EXPECT_EQ(
      json["key_quantizer"].dump(),
      R"({"key_or_value_cache":"key","level":"head","symmetric":false,"method_name":"uniform",)"
      R"("outliers_ratio":0.01,"use_attentions":true,"n_bits_min":1,"n_bits_max":8,)"
      R"("last_n_attentions":5,"target_quantization_error":1.0,"q_norm":300.0})");
  EXPECT_EQ(json["value_quantizer"].dump(),
            R"({"key_or_value_cache":"value","level":"head","symmetric":false,)"
            R"("method_name":"uniform","outliers_ratio":0.01,"use_attentions":false,)"
            R"("n_bits_uniform":2})");
  EXPECT_EQ(json["question_count"], 1000);
}

TEST_F(ResultsFile, ParametersComeBack) {
  QaqParams params;
  set_parameter(params, "key.level", ParameterValue(std::string("token")));
  set_parameter(params, "value.n_bits_max", ParameterValue(std::int64_t{4}));
  set_parameter(params, "key.q_norm", ParameterValue(200.0));
  EXPECT_TRUE(same_parameters(params_of_authors(authors_params(params, {}), "f", "0"), params));
}

TEST_F(ResultsFile, AFileOfTheAuthorsIsRead) {
  write(
      R"([{"params": {"version": "2023/10/1-#01", "model_name": "7b", "dataset_name": "Rowan/hellaswag",
    "question_count": 1000, "key_quantizer": {"key_or_value_cache": "key", "level": "no-quantization"},
    "value_quantizer": {"key_or_value_cache": "value", "level": "token", "symmetric": false,
      "method_name": "normal", "outliers_ratio": 0.01, "use_attentions": false, "n_bits_uniform": 3}},
    "results": {"accuracy": 0.72, "average_n_bits": 4.5}}])");
  const auto records = read_results(path_);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].results["accuracy"], 0.72);
  EXPECT_EQ(records[0].hash(), "");
  const QaqParams params = params_of_authors(records[0].params, path_, "0/params");
  EXPECT_EQ(params.key.level, Level::no_quantization);
  EXPECT_EQ(params.value.method, Method::normal);
  EXPECT_EQ(params.value.n_bits_uniform, 3);
}

TEST_F(ResultsFile, WhatIsNoResultsFileIsRefused) {
  EXPECT_TRUE(refuses("[{", "JSON"));
  EXPECT_TRUE(refuses("{}", "no list"));
  EXPECT_TRUE(refuses(R"([{"params": {}}])", "0/results"));
  write(R"([{"params": {}, "results": {}}])");
  EXPECT_THROW(params_of_authors(read_results(path_)[0].params, path_, "0/params"), Error);
  Json wrong = authors_params(QaqParams{}, {});
  wrong["key_quantizer"]["level"] = "heads";
  try {
    params_of_authors(wrong, path_, "0/params");
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.text().place, "0/params/key_quantizer/level");
  }
}

TEST_F(ResultsFile, AJournalIsValidJsonAfterEveryRun) {
  ResultsJournal journal(path_);
  EXPECT_EQ(hashes(), Names{});
  for (const std::string hash : {"a", "b", "c"}) {
    journal.append(record(hash));
    EXPECT_EQ(hashes().back(), hash);
  }
  EXPECT_TRUE(journal.has("b"));
  EXPECT_FALSE(journal.has("d"));
}

TEST_F(ResultsFile, AJournalGoesOnWhereItWasKilled) {
  {
    ResultsJournal journal(path_);
    for (const std::string hash : {"a", "b", "c"}) journal.append(record(hash));
  }
  const std::string whole = bytes_of_file(path_);
  // At every byte of the end, at some of those before it: each file costs a flush of the disk.
  for (std::size_t n = 1; n <= whole.size(); n += n + 200 < whole.size() ? 17 : 1) {
    write(whole.substr(0, n));
    ResultsJournal journal(path_);
    const std::size_t kept = journal.records().size();
    EXPECT_LE(kept, 3u);
    if (!journal.has("c")) journal.append(record("c"));
    EXPECT_EQ(hashes().back(), "c") << n;
    EXPECT_EQ(hashes().size(), std::min<std::size_t>(kept + 1, 3)) << n;
  }
}

TEST_F(ResultsFile, AJournalOfWhichNothingCameGoes) {
  ResultsJournal(path_).drop_if_empty();
  EXPECT_TRUE(folder_.empty());
  ResultsJournal journal(path_);
  journal.append(record("a"));
  journal.drop_if_empty();
  EXPECT_EQ(hashes(), Names{"a"});
}

TEST_F(ResultsFile, WhatIsNoFileIsNotReplaced) {
  EXPECT_THROW(write_results(folder_.path().string(), {record("a")}), Error);
  std::filesystem::create_symlink("/dev/null", path_);
  EXPECT_THROW(write_results(path_, {record("a")}), Error);
  EXPECT_EQ(folder_.names(), Names{"results.json"}) << "nor is anything left beside it";
}

TEST_F(ResultsFile, AnotherFileIsLeftAlone) {
  write("notes of mine\n");
  EXPECT_THROW(ResultsJournal{path_}, Error);
  EXPECT_EQ(bytes_of_file(path_), "notes of mine\n");
}

TEST_F(ResultsFile, AFinishedFileDoesNotDependOnTheOrderOfRuns) {
  std::vector<std::string> files;
  for (const bool forward : {true, false}) {
    std::filesystem::remove(path_);
    ResultsJournal journal(path_);
    for (int i = 0; i < 5; ++i) {
      const int at = forward ? i : 4 - i;
      journal.append(record(std::string(1, static_cast<char>('a' + at)), at + 1));
    }
    journal.finish();
    files.push_back(bytes_of_file(path_));
  }
  EXPECT_EQ(files[0], files[1]);
}

}  // namespace
}  // namespace qaq
