// The GGUF part of tests/data/badinputs: odd but legal files are taken, broken ones refused in the
// words that the manifest asks for.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/base/error.h"
#include "data/models/gguf_file.h"
#include "data/models/model_file.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/data/models/decode_all.h"
#include "tests/support/bad_input.h"

namespace qaq {
namespace {

using nlohmann::json;

// What the manifest's `run` means here.
void read_as(const std::string& run, const std::string& path) {
  if (run == "info") {
    const GgufFile only_opened(path);
    return;
  }
  const auto model = open_model(path);
  if (run == "load") test::decode_all_weights(*model);
  const auto ids = make_tokenizer(*model)->encode("ab");
  EXPECT_FALSE(ids.empty());
}

class GgufBadInput : public testing::TestWithParam<json> {};

TEST_P(GgufBadInput, BehavesAsTheManifestSays) {
  test::expect_as_manifest(GetParam(), [](const std::string& path) {
    read_as(GetParam().at("run").get<std::string>(), path);
  });
}

INSTANTIATE_TEST_SUITE_P(Manifest, GgufBadInput, testing::ValuesIn(test::bad_inputs("gguf")),
                         test::bad_input_name);

TEST(GgufBadInputs, TheManifestNamesEveryFileInTheFolder) {
  std::size_t n_files = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(test::test_data_path("badinputs/gguf"))) {
    n_files += file.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(test::bad_inputs("gguf").size(), n_files);
  EXPECT_GE(n_files, 51u);
}

// Lengths and counts of a hostile file are not believed: nothing of their size is allocated.
TEST(GgufBadInputs, NoneTakesMuchMemory) {
  for (const json& entry : test::bad_inputs("gguf")) {
    try {
      read_as(entry.at("run"), test::bad_input_path(entry));
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
