// The GGUF part of tests/data/badinputs: odd but legal files are taken, broken ones refused in the
// words that the manifest asks for. To add a file: put it there and describe it in manifest.json.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/base/error.h"
#include "core/tensor/nd_array.h"
#include "data/models/gguf_file.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;

void decode_all_weights(const ModelFile& model) {
  const auto decode = [&](WeightRole role, std::int64_t layer) {
    const WeightView weight = model.weight(role, layer);
    NdArray<float, 2> numbers({weight.rows, weight.cols});
    try {
      decode_matrix(weight, numbers.view());
    } catch (const Error& error) {
      throw error.with_file(model.file());
    }
  };
  for (int role = 0; role <= static_cast<int>(WeightRole::head); ++role) {
    for (std::int64_t layer = 0; layer < model.spec().shape.n_layers; ++layer) {
      decode(static_cast<WeightRole>(role), layer);
    }
  }
}

// What the manifest's `run` means here.
void read_as(const std::string& run, const std::string& path) {
  if (run == "info") {
    const GgufFile only_opened(path);
    return;
  }
  const auto model = open_model(path);
  if (run == "load") decode_all_weights(*model);
  const auto ids = make_tokenizer(*model)->encode("ab");
  EXPECT_FALSE(ids.empty());
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

void expect_words(const std::string& message, const json& groups) {
  const std::string line = lower(message);
  for (const json& group : groups) {
    const bool said = std::any_of(group.begin(), group.end(), [&](const json& word) {
      return line.find(lower(word.get<std::string>())) != std::string::npos;
    });
    EXPECT_TRUE(said) << message << "\nsays none of " << group;
  }
}

class GgufBadInput : public testing::TestWithParam<json> {};

TEST_P(GgufBadInput, BehavesAsTheManifestSays) {
  const json& entry = GetParam();
  const std::string path = test::test_data_path("badinputs/" + entry.at("file").get<std::string>());
  const bool taken = entry.at("expect") == "accept";
  try {
    read_as(entry.at("run"), path);
    EXPECT_TRUE(taken) << "was taken: " << entry.at("what");
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_FALSE(taken) << message;
    EXPECT_EQ(error.kind(), ErrorKind::input) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_FALSE(error.text().cure.empty()) << message;
    EXPECT_NE(message.find(std::filesystem::path(path).filename().string()), std::string::npos)
        << message;
    if (!taken) expect_words(message, entry.at("words"));
  }
}

std::vector<json> gguf_entries() {
  const json manifest = test::test_data_json("badinputs/manifest.json");
  std::vector<json> entries;
  for (const json& entry : manifest.at("entries")) {
    if (entry.at("format") == "gguf") entries.push_back(entry);
  }
  return entries;
}

std::string test_name(const testing::TestParamInfo<json>& entry) {
  std::string name = std::filesystem::path(entry.param.at("file").get<std::string>()).stem();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Manifest, GgufBadInput, testing::ValuesIn(gguf_entries()), test_name);

TEST(GgufBadInputs, TheManifestNamesEveryFileInTheFolder) {
  std::size_t n_files = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(test::test_data_path("badinputs/gguf"))) {
    n_files += file.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(gguf_entries().size(), n_files);
  EXPECT_GE(n_files, 51u);
}

// Lengths and counts of a hostile file are not believed: nothing of their size is allocated.
TEST(GgufBadInputs, NoneTakesMuchMemory) {
  for (const json& entry : gguf_entries()) {
    try {
      read_as(entry.at("run"),
              test::test_data_path("badinputs/" + entry.at("file").get<std::string>()));
    } catch (const Error&) {
    }
  }
  rusage usage{};
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &usage), 0);
  EXPECT_LT(usage.ru_maxrss, 512 * 1024) << "KiB of resident memory at most";
}

TEST(GgufBadInputs, WhatIsNoFileIsRefused) {
  const auto message = [](const std::string& path) -> std::string {
    try {
      const GgufFile file(path);
      return "taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
  };
  EXPECT_NE(message("no/such.gguf").find("no/such.gguf: cannot be opened"), std::string::npos);
  EXPECT_NE(message(test::test_data_path("badinputs")).find("is a folder"), std::string::npos);
  EXPECT_NE(message("/dev/null").find("is no regular file"), std::string::npos);
}

}  // namespace
}  // namespace qaq
