// The tokenizers of tests/data/badinputs/hf: odd but legal folders are taken, broken ones refused
// in the words that the manifest asks for.
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "data/tokenizers/tokenizer.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

using nlohmann::json;

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

json entries() { return test::test_data_json("badinputs/manifest.json").at("entries"); }

TEST(HfBadInputs, TokenizersBehaveAsTheManifestSays) {
  const json all = entries();
  std::size_t n = 0;
  for (const json& entry : all) {
    if (entry.at("format") != "hf folder" || entry.at("run") != "tokenize") continue;
    ++n;
    const auto name = entry.at("file").get<std::string>();
    SCOPED_TRACE(name);
    const bool taken = entry.at("expect") == "accept";
    try {
      EXPECT_FALSE(open_tokenizer(test::test_data_path("badinputs/" + name))->encode("ab").empty());
      EXPECT_TRUE(taken) << "was taken: " << entry.at("what");
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_FALSE(taken) << message;
      EXPECT_EQ(error.kind(), ErrorKind::input) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
      EXPECT_FALSE(error.text().cure.empty()) << message;
      EXPECT_NE(message.find(name), std::string::npos) << message;
      if (!taken) expect_words(message, entry.at("words"));
    }
  }
  EXPECT_EQ(n, 6u);
}

// Whatever else is wrong with a model, its tokenizer is read by itself.
TEST(HfBadInputs, EveryFolderThatIsTakenHasATokenizer) {
  const json all = entries();
  for (const json& entry : all) {
    if (entry.at("format") != "hf folder" || entry.at("expect") != "accept") continue;
    const auto name = entry.at("file").get<std::string>();
    const auto tokenizer = open_tokenizer(test::test_data_path("badinputs/" + name));
    EXPECT_EQ(tokenizer->decode(tokenizer->encode("ab 12\n")), "ab 12\n") << name;
  }
}

}  // namespace
}  // namespace qaq
