// Every capture of tests/data/badinputs behaves as its manifest says.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "data/capture/capture_file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq::test {
namespace {

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::vector<nlohmann::json> capture_entries() {
  std::vector<nlohmann::json> entries;
  const nlohmann::json manifest = test_data_json("badinputs/manifest.json");
  for (const nlohmann::json& entry : manifest.at("entries")) {
    if (entry.at("format") == "capture") entries.push_back(entry);
  }
  return entries;
}

std::string test_name(const testing::TestParamInfo<nlohmann::json>& info) {
  const std::string file = info.param.at("file");
  return file.substr(3, file.size() - 6);  // h5/NAME.h5
}

class BadInput : public testing::TestWithParam<nlohmann::json> {};

TEST_P(BadInput, BehavesAsTheManifestSays) {
  const nlohmann::json& entry = GetParam();
  const std::string file = entry.at("file");
  const std::string path = test_data_path("badinputs/" + file);
  const std::string before = bytes_of_file(path);
  ASSERT_EQ(before.size(), entry.at("bytes"));
  if (entry.at("expect") == "accept") {
    const auto capture = open_capture(path);
    const CaptureInfo& info = capture->info();
    const Shape<3> shape{info.shape.n_kv_heads, info.n_tokens, info.shape.head_dim};
    ASSERT_EQ(capture->key(0)->shape(), shape);
    ASSERT_EQ(capture->value(0)->shape(), shape);
    EXPECT_TRUE(std::ranges::any_of(capture->key(0)->span(), [](float x) { return x != 0; }));
    const auto scores = capture->attention(0, 0, info.n_query_rows());
    for (std::int64_t row = 0; row < info.n_query_rows(); ++row) {
      double sum = 0;
      for (const float p : scores->sub(0, row).span()) sum += p;
      EXPECT_NEAR(sum, 1, 1e-6);
    }
  } else {
    ASSERT_EQ(entry.at("expect"), "reject");
    try {
      open_capture(path);
      FAIL() << "was taken: " << entry.at("what");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      const std::string line = lower(error.what());
      EXPECT_NE(line.find(lower(file.substr(3))), std::string::npos) << line;
      EXPECT_EQ(line.find('\n'), std::string::npos) << line;
      EXPECT_FALSE(error.text().cure.empty()) << line;
      for (const nlohmann::json& group : entry.at("words")) {
        EXPECT_TRUE(std::ranges::any_of(
            group,
            [&](const std::string& word) { return line.find(lower(word)) != std::string::npos; }))
            << line << "\nlacks one of " << group;
      }
    }
  }
  EXPECT_EQ(bytes_of_file(path), before);
}

INSTANTIATE_TEST_SUITE_P(Captures, BadInput, testing::ValuesIn(capture_entries()), test_name);

TEST(BadInputs, HalfAndBrainFloatsHoldTheNumbersOfTheFloatCapture) {
  const auto exact = open_capture(test_data_path("badinputs/h5/ok_full_f32.h5"));
  const auto swapped = open_capture(test_data_path("badinputs/h5/ok_big_endian_floats.h5"));
  const auto packed = open_capture(test_data_path("badinputs/h5/ok_deflate_shuffle.h5"));
  const auto half = open_capture(test_data_path("badinputs/h5/ok_f16.h5"));
  const auto brain = open_capture(test_data_path("badinputs/h5/ok_bf16.h5"));
  EXPECT_EQ(half->info().dtype, DType::f16);
  EXPECT_EQ(brain->info().dtype, DType::bf16);
  const auto key = exact->key(0);
  for (std::size_t i = 0; i < key->span().size(); ++i) {
    const float x = key->span()[i];
    EXPECT_EQ(swapped->key(0)->span()[i], x);
    EXPECT_EQ(packed->key(0)->span()[i], x);
    EXPECT_NEAR(half->key(0)->span()[i], x, std::abs(x) * 0x1p-11f);
    EXPECT_NEAR(brain->key(0)->span()[i], x, std::abs(x) * 0x1p-7f);  // was truncated, not rounded
  }
}

TEST(BadInputs, AMissingFileAndAFolderAreRefusedByName) {
  for (const std::string& path : {test_data_path("no_such.h5"), test_data_path("badinputs")}) {
    try {
      open_capture(path);
      FAIL() << path << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      EXPECT_EQ(error.text().file, path);
    }
  }
}

}  // namespace
}  // namespace qaq::test
