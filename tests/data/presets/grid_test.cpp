#include "data/presets/grid.h"

#include <fstream>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/policy/qaq_params.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

class GridFile : public testing::Test {
 protected:
  ParameterGrid read(const std::string& body) {
    std::ofstream(path_) << R"({"format": "qaq-grid", "version": 1, )" << body << "}";
    return read_grid(path_);
  }
  std::string refusal(const std::string& body) {
    try {
      read(body);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_EQ(error.text().file, path_);
      return error.what();
    }
    return "";
  }
  testing::AssertionResult refuses(const std::string& body, const std::string& word) {
    const std::string line = refusal(body);
    if (line.find(word) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << body << ": " << line;
  }
  std::vector<std::string> texts(const std::string& list) {
    std::vector<std::string> out;
    const ParameterGrid grid = read("\"grid\": {\"q_norm\": " + list + "}");
    for (const auto& value : grid.axes.at(0).values) out.push_back(value_text(value));
    return out;
  }

  test::TemporaryFolder folder_;
  const std::string path_ = folder_.file("grid.json");
};

using Texts = std::vector<std::string>;

TEST_F(GridFile, ListsAreTakenAsTheyAre) {
  EXPECT_EQ(texts("[1, 2.5, \"head\", true]"), (Texts{"1", "2.5", "head", "true"}));
}

TEST_F(GridFile, RangesBecomeLists) {
  EXPECT_EQ(texts(R"([{"from": 1, "to": 4}])"), (Texts{"1", "2", "3", "4"}));
  EXPECT_EQ(texts(R"([{"from": 0, "to": 0.3, "step": 0.1}])").size(), 4u) << "the end is in it";
  EXPECT_EQ(texts(R"([{"from": 8, "to": 2, "step": -3}, 300])"), (Texts{"8", "5", "2", "300"}));
  EXPECT_EQ(texts(R"([{"from": 0, "to": 1, "count": 3}])"), (Texts{"0", "0.5", "1"}));
  EXPECT_EQ(texts(R"([{"from": 1, "to": 100, "count": 3, "log": true}])"),
            (Texts{"1", "10", "100"}));
}

// The authors' sweep: 12 settings without attention and 432 with it, keys and values together.
TEST_F(GridFile, TheAuthorsSweepHas444Settings) {
  const ParameterGrid grid =
      read(R"("grid": {"outliers_ratio": [0, 0.01], "use_attentions": [false, true]},
    "when": [{"if": "use_attentions == false", "grid": {"n_bits_uniform": [1, 2, 3, 4, 6, 8]}},
             {"if": "use_attentions == true",
              "grid": {"level": ["token", "layer", "head"], "last_n_attentions": [1, 5],
                       "target_quantization_error": [1, 3, 10, 30],
                       "n_bits_min": [0, 1, 2], "n_bits_max": [2, 3, 4]}}])");
  EXPECT_EQ(settings_of(grid, list_parameters(QaqParams{})).size(), 444u);
}

TEST_F(GridFile, WhatItCannotMeanIsNamed) {
  EXPECT_TRUE(refuses(R"("gird": {})", "did you mean grid"));
  EXPECT_TRUE(refuses(R"("when": [])", "grid"));
  EXPECT_TRUE(refuses(R"("grid": {"level": "head"})", "grid/level"));
  EXPECT_TRUE(refuses(R"("grid": {"level": [["head"]]})", "no single value"));
  EXPECT_TRUE(refuses(R"("grid": [1])", "no JSON object"));
  EXPECT_TRUE(refuses(R"("grid": {}, "when": "a == b")", "no list"));
  EXPECT_TRUE(refuses(R"("grid": {}, "when": [{"if": "a == b"}])", "when/0"));
  EXPECT_TRUE(refuses(R"("grid": {"q_norm": [{"from": 1}]})", "\"to\""));
  EXPECT_TRUE(refuses(R"("grid": {"q_norm": [{"from": 1, "until": 2}]})", "until"));
  EXPECT_TRUE(refuses(R"("grid": {"q_norm": [{"from": 1, "to": 2, "step": 0}]})", "no list"));
  EXPECT_TRUE(refuses(R"("grid": {"q_norm": [{"from": 1, "to": 1e12}]})", "makes 1e+12 values"));
  EXPECT_TRUE(
      refuses(R"("grid": {"q_norm": [{"from": 0, "to": 1, "count": 3, "log": true}]})", "log"));
  EXPECT_TRUE(refuses(R"("version": 2, "grid": {})", "version"));
}

TEST_F(GridFile, AFileOfTheBadInputsIsRefused) {
  try {
    read_grid(test::test_data_path("badinputs/json/grid_not_a_list.json"));
    FAIL() << "taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_NE(std::string(error.what()).find("last_n_attentions"), std::string::npos);
  }
}

}  // namespace
}  // namespace qaq
