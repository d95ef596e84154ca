// `mpirun qaq sweep`: the same bytes on any number of ranks, going on, and a rank that fails. Built
// with QAQ_MPI=ON.
#include <algorithm>
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

const std::string kCapture = test::test_data_path("badinputs/h5/ok_full_f32.h5");
const std::string kOther = test::test_data_path("badinputs/h5/ok_f16.h5");

class MpiSweep : public testing::Test {
 protected:
  MpiSweep() {
    std::ofstream(grid_) << R"({"format": "qaq-grid", "version": 1, "policy": "qaq",
      "grid": {"level": ["token", "head"], "outliers_ratio": [0, 0.1],
               "n_bits_min": [1, 2, 3], "n_bits_max": [2, 4]},
      "when": ["n_bits_min <= n_bits_max"]})";
  }
  std::vector<std::string> sweep(const std::string& output,
                                 const std::vector<std::string>& captures) const {
    std::vector<std::string> words{"sweep"};
    words.insert(words.end(), captures.begin(), captures.end());
    words.insert(words.end(), {"--grid", grid_, "-o", folder_.file(output), "--json"});
    return words;
  }
  // A container's rank may not read another's memory, which this way of passing texts would.
  static ProgramResult mpirun(int n_ranks, const std::vector<std::string>& words) {
    std::vector<std::string> all{QAQ_MPIRUN,
                                 "--allow-run-as-root",
                                 "--oversubscribe",
                                 "--bind-to",
                                 "none",
                                 "--mca",
                                 "btl_vader_single_copy_mechanism",
                                 "none",
                                 "-n",
                                 std::to_string(n_ranks),
                                 QAQ_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    return test::run_program(all);
  }
  std::string bytes(const std::string& name) const { return bytes_of_file(folder_.file(name)); }

  test::TemporaryFolder folder_;
  const std::string grid_ = folder_.file("grid.json");
};

TEST_F(MpiSweep, TheFileHasTheSameBytesOnAnyNumberOfRanks) {
  const std::vector<std::string> captures{kCapture, kOther};
  const ProgramResult alone = test::run_qaq(sweep("alone.json", captures));
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  for (const int n : {1, 2, 3}) {
    const std::string name = std::to_string(n) + ".json";
    const ProgramResult result = mpirun(n, sweep(name, captures));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(bytes(name), bytes("alone.json")) << n << " ranks";
    const json said = json::parse(result.out), expected = json::parse(alone.out);
    EXPECT_EQ(said["run"], 40) << "said once, by one rank: " << result.out;
    EXPECT_EQ(said["pareto"], expected["pareto"]);
    EXPECT_EQ(std::ranges::count(result.err, '\n'), std::ranges::count(alone.err, '\n'))
        << result.err;
  }
}

TEST_F(MpiSweep, ATaskHasTheSameBytesOnAnyNumberOfRanks) {
  const auto words = [&](const std::string& output) -> std::vector<std::string> {
    return {"sweep",
            "--model",
            test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf"),
            "--task",
            test::test_data_path("tasks/example_expected.jsonl"),
            "--limit",
            "3",
            "--grid",
            grid_,
            "-o",
            folder_.file(output),
            "--json"};
  };
  const ProgramResult alone = test::run_qaq(words("alone.json"));
  ASSERT_EQ(alone.exit_code, 0) << alone.err;
  for (const int n : {2, 3}) {
    const std::string name = std::to_string(n) + ".json";
    const ProgramResult result = mpirun(n, words(name));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(bytes(name), bytes("alone.json")) << n << " ranks";
    EXPECT_EQ(json::parse(result.out)["run"], 20);
  }
  EXPECT_EQ(folder_.names().size(), 4u) << "nothing else is left";
}

TEST_F(MpiSweep, GoesOnAfterAKill) {
  ASSERT_EQ(mpirun(2, sweep("a.json", {kCapture})).exit_code, 0);
  const std::string whole = bytes("a.json");
  std::ofstream(folder_.file("a.json")) << whole.substr(0, whole.size() / 2);
  const ProgramResult again = mpirun(3, sweep("a.json", {kCapture}));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  const json said = json::parse(again.out);
  EXPECT_EQ(said["found"].get<int>() + said["run"].get<int>(), 20);
  EXPECT_GT(said["found"], 0);
  EXPECT_GT(said["run"], 0);
  EXPECT_EQ(bytes("a.json"), whole);
}

TEST_F(MpiSweep, ARankThatFailsEndsAllAndWhatIsFinishedStays) {
  // The second capture is refused while the runs of the first are done.
  const std::string broken = test::test_data_path("badinputs/h5/key_nan.h5");
  const ProgramResult result = mpirun(3, sweep("a.json", {kCapture, broken}));
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(result.out, "");
  const std::size_t at = result.err.find("qaq: " + broken);
  ASSERT_NE(at, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("qaq: ", at + 1), std::string::npos) << "once: " << result.err;
  EXPECT_EQ(json::parse(bytes("a.json")).size(), 20u);
}

TEST_F(MpiSweep, AnErrorThatOnlyAComputingRankMeetsIsTold) {
  // What the first rank needs of a capture, its name and shape, is there; plans need attention.
  const std::string model = test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf");
  const std::string bare = folder_.file("bare.h5");
  const ProgramResult captured =
      test::run_qaq({"capture", "--model", model, "--prompt", "The query meets every key",
                     "--attention", "none", "--no-queries", "-o", bare});
  ASSERT_EQ(captured.exit_code, 0) << captured.err;
  const ProgramResult alone = test::run_qaq(sweep("alone.json", {bare}));
  EXPECT_EQ(alone.exit_code, 3) << alone.err;
  const ProgramResult result = mpirun(3, sweep("a.json", {kCapture, bare}));
  EXPECT_EQ(result.exit_code, 3) << result.err;
  EXPECT_EQ(result.out, "");
  const std::string what = alone.err.substr(alone.err.rfind("qaq: "));
  const std::size_t at = result.err.find(what.substr(0, what.find(';')));
  ASSERT_NE(at, std::string::npos) << what << "\nin " << result.err;
  EXPECT_NE(result.err.find("(on rank ", at), std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("qaq: ", at + 5), std::string::npos) << "once: " << result.err;
  EXPECT_EQ(json::parse(bytes("a.json")).size(), 20u);
}

TEST_F(MpiSweep, WrongUsageIsSaidOnce) {
  const ProgramResult result =
      mpirun(2, {"sweep", kCapture, "--grid", grid_, "--shard", "4/3", "-o", "x"});
  EXPECT_EQ(result.exit_code, 2) << result.err;
  const std::size_t at = result.err.find("qaq: --shard");
  ASSERT_NE(at, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("qaq: --shard", at + 1), std::string::npos) << result.err;
}

}  // namespace
}  // namespace qaq
