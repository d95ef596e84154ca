// `qaq replay --save-packed` and what `qaq info` says of the file.

#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

TEST(PackedCommand, AFileTakesWhatTheReplayReportsAndItsHeader) {
  const TemporaryFolder folder;
  const std::string file = folder.file("no extension");
  const json replayed = run_json({"replay", kLetter, "--preset", "paper", "--save-packed", file});
  const json info = run_json({"info", file});
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(file));
  EXPECT_EQ(replayed["packed"]["bytes"], size);
  EXPECT_EQ(info["bytes"], size);
  EXPECT_EQ(info["format"], "qaq-packed");
  const json& metrics = replayed["metrics"];
  std::int64_t sum = info["header_bytes"];
  for (const std::string side : {"key", "value"}) {
    json reported = metrics[side + "_packed_bytes"];
    EXPECT_EQ(info["caches"][side]["bytes"], reported["total"]);
    EXPECT_FLOAT_EQ(info["caches"][side]["mean_bits"], metrics[side + "_mean_bits"]);
    reported.erase("total");
    reported.erase("positions");  // nothing is evicted of what is packed
    EXPECT_EQ(info["caches"][side]["components"], reported);
    for (const auto& [name, bytes] : reported.items()) sum += bytes.get<std::int64_t>();
  }
  EXPECT_EQ(sum, size);
  EXPECT_EQ(info["ratio_packed"], metrics["ratio_packed"]);
  EXPECT_GT(metrics["ratio_paper"], metrics["ratio_nominal"]);
  EXPECT_GT(metrics["ratio_nominal"], metrics["ratio_packed"]);
  EXPECT_EQ(info["about"]["parameters"]["key.target_quantization_error"], 3.0);
  EXPECT_EQ(info["about"]["provenance"]["capture"], "letter.h5");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"no extension"});

  const ProgramResult text = run_qaq({"info", file, "--quiet"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.out.find("outlier_values"), std::string::npos);
  EXPECT_NE(text.out.find(std::to_string(size)), std::string::npos);
}

TEST(PackedCommand, OutliersByDeviationAreInTheFileAndItsHeader) {
  const TemporaryFolder folder;
  const std::string file = folder.file("nsigma");
  const json replayed =
      run_json({"replay", kLetter, "--set", "key.outlier_rule=nsigma", "--set", "key.n_sigma=2.5",
                "--set", "value.outliers_ratio=0", "--save-packed", file});
  const json info = run_json({"info", file});
  EXPECT_EQ(replayed["packed"]["bytes"],
            static_cast<std::int64_t>(std::filesystem::file_size(file)));
  const json& key = replayed["metrics"]["key_packed_bytes"];
  EXPECT_GT(key["outlier_values"], 0);
  EXPECT_EQ(info["caches"]["key"]["components"]["outlier_values"], key["outlier_values"]);
  EXPECT_EQ(info["caches"]["key"]["components"]["outlier_counts"], key["outlier_counts"]);
  EXPECT_EQ(info["caches"]["value"]["components"]["outlier_counts"], 0);
  EXPECT_EQ(info["about"]["parameters"]["key.outlier_rule"], "nsigma");
}

TEST(PackedCommand, OutlierIndexChoosesListOrBitmap) {
  const TemporaryFolder folder;
  const auto index_bytes = [&](const std::string& choice) -> std::int64_t {
    return run_json({"replay", kLetter, "--set", "outlier_index=" + choice, "--set",
                     "outliers_ratio=0.1"})["metrics"]["key_packed_bytes"]["outlier_indices"];
  };
  const std::int64_t list = index_bytes("list"), bitmap = index_bytes("bitmap");
  EXPECT_EQ(bitmap, 30 * 3 * 64 * 8) << "a bit for each of 64 channels";
  EXPECT_GT(list, bitmap) << "most units have eight outliers, those with ties more";
  EXPECT_LT(index_bytes("auto"), bitmap) << "units with fewer have a list";
}

TEST(PackedCommand, ADamagedFileIsRefusedInOneLine) {
  const TemporaryFolder folder;
  const std::string file = folder.file("cut.qkv");
  run_json({"replay", kLetter, "--save-packed", file});
  std::filesystem::resize_file(file, 100000);
  const ProgramResult result = run_qaq({"info", file, "--quiet"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(std::ranges::count(result.err, '\n'), 1) << result.err;
  EXPECT_NE(result.err.find("key/payload"), std::string::npos) << result.err;
  std::filesystem::resize_file(file, 0);
  EXPECT_NE(run_qaq({"info", file, "--quiet"}).err.find("the signature"), std::string::npos)
      << "named as a packed file, it is refused as one";
}

}  // namespace
}  // namespace qaq
