// The tokenizers of tests/data/badinputs/hf: odd but legal folders are taken, broken ones refused
// in the words that the manifest asks for.
#include <gtest/gtest.h>

#include "data/tokenizers/tokenizer.h"
#include "tests/support/bad_input.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;

json entries() { return test::test_data_json("badinputs/manifest.json").at("entries"); }

TEST(HfBadInputs, TokenizersBehaveAsTheManifestSays) {
  std::size_t n = 0;
  for (const json& entry : entries()) {
    if (entry.at("format") != "hf folder" || entry.at("run") != "tokenize") continue;
    ++n;
    SCOPED_TRACE(entry.at("file").get<std::string>());
    test::expect_as_manifest(entry, [](const std::string& path) {
      EXPECT_FALSE(open_tokenizer(path)->encode("ab").empty());
    });
  }
  EXPECT_EQ(n, 6u);
}

// Whatever else is wrong with a model, its tokenizer is read by itself.
TEST(HfBadInputs, EveryFolderThatIsTakenHasATokenizer) {
  for (const json& entry : entries()) {
    if (entry.at("format") != "hf folder" || entry.at("expect") != "accept") continue;
    const auto name = entry.at("file").get<std::string>();
    const auto tokenizer = open_tokenizer(test::test_data_path("badinputs/" + name));
    EXPECT_EQ(tokenizer->decode(tokenizer->encode("ab 12\n")), "ab 12\n") << name;
  }
}

}  // namespace
}  // namespace qaq
