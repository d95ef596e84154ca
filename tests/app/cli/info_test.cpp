// What `qaq info MODEL` prints for people. The numbers are held by families_test and by the tests
// of core/model and data/models.

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/gguf_builder.h"
#include "tests/support/qaq_program.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;
using test::GgufBuilder;
using test::ProgramResult;
using test::run_json;
using test::run_qaq;
using test::TemporaryFolder;

ProgramResult info_of(const GgufBuilder& model) {
  const TemporaryFolder folder;
  model.write(folder.file("model.gguf"));
  return run_qaq({"info", folder.file("model.gguf")});
}

TEST(ModelInfo, SaysWhatAReaderAsksFirst) {
  const ProgramResult result = info_of(GgufBuilder::tiny_llama());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  for (const char* words :
       {"architecture         llama", "layers               2",
        "4 of queries, 2 of keys and values, 6 channels each", "default, theta", "prefill of",
        "feed-forward", "a token, ", "at the full context", "window:64", "tensors (20)"}) {
    EXPECT_NE(result.out.find(words), std::string::npos) << words << " is not in\n" << result.out;
  }
}

TEST(ModelInfo, ListsAModelThatCannotBeRunAndSaysWhy) {
  const TemporaryFolder folder;
  const std::string path = folder.file("model.gguf");
  GgufBuilder(GgufBuilder::tiny_llama()).set("general.architecture", "mamba").write(path);
  const ProgramResult result = run_qaq({"info", path});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.out.find("cannot be run"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("mamba"), std::string::npos);
  EXPECT_NE(result.out.find("tensors (20)"), std::string::npos);
  const json info = run_json({"info", path});
  EXPECT_NE(info["refusal"].get<std::string>().find("mamba"), std::string::npos);
  EXPECT_FALSE(info.contains("shape"));
}

TEST(ModelInfo, NamesFromFilesCannotWriteToTheTerminal) {
  const std::string evil = "\x1b[2Jtiny\n\u202emodel\x07\u0085\xff";
  const ProgramResult result =
      info_of(GgufBuilder(GgufBuilder::tiny_llama()).set("general.name", evil));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(std::ranges::none_of(result.out, [](char c) { return c == '\x1b' || c == '\x07'; }));
  EXPECT_NE(result.out.find("\\x1b[2Jtiny\\n\\u202emodel\\x07\\x85"), std::string::npos)
      << result.out;
}

TEST(ModelInfo, LongValuesAreCutAtACharacter) {
  std::string long_name;
  for (int i = 0; i < 300; ++i) long_name += "é";
  const ProgramResult result =
      info_of(GgufBuilder(GgufBuilder::tiny_llama()).set("general.name", long_name));
  EXPECT_NE(result.out.find(long_name.substr(0, 400) + "..."), std::string::npos);
  EXPECT_EQ(result.out.find(long_name.substr(0, 402)), std::string::npos);
}

TEST(ModelInfo, AsksForTheCostsOfAtMostTheContext) {
  const std::string tiny = test::test_data_path("oracle/tiny_llama/tiny_llama-f32.gguf");
  const json info = run_json({"info", tiny, "--tokens", "1000000000"});
  EXPECT_EQ(info["n_tokens"], info["shape"]["context_length"]);
}

}  // namespace
}  // namespace qaq
