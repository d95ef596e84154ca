#include "data/tokenizers/gguf_pre_tokenizers.h"

#include <gtest/gtest.h>

namespace qaq {
namespace {

using Words = std::vector<std::string>;

Words split(std::string_view name, std::string_view text) {
  const auto pre = find_gguf_pre_tokenizer(name);
  return pre ? pre->split.split(text) : Words{"no such pre-tokenizer"};
}

TEST(GgufPreTokenizers, WordsTakeTheSpaceBeforeThem) {
  EXPECT_EQ(split("gpt-2", "It's  two words, 12 3."),
            (Words{"It", "'s", " ", " two", " words", ",", " 12", " 3", "."}));
}

TEST(GgufPreTokenizers, SmollmCutsEveryDigitOffFirst) {
  EXPECT_EQ(split("smollm", "in 2024 x1"), (Words{"in", " ", "2", "0", "2", "4", " x", "1"}));
  // Spaces before a digit end their stretch, so they stay together, unlike those before a word.
  EXPECT_EQ(split("smollm", "a   1   b"), (Words{"a", "   ", "1", "  ", " b"}));
}

// The words of the library `tokenizers` for each family's expression.
TEST(GgufPreTokenizers, FamiliesDifferInDigitsCaseAndMarks) {
  const std::string_view text = "I'Ll 12345 ABCdef\u0301X  /a!!\n\n  b\t\n";
  EXPECT_EQ(split("llama-bpe", text), (Words{"I", "'Ll", " ", "123", "45", " ABCdef", "\u0301X",
                                             " ", " /", "a", "!!\n\n", " ", " b", "\t\n"}));
  EXPECT_EQ(split("qwen2", text), (Words{"I", "'Ll", " ", "1", "2", "3", "4", "5", " ABCdef",
                                         "\u0301X", " ", " /", "a", "!!\n\n", " ", " b", "\t\n"}));
  EXPECT_EQ(split("tekken", text), (Words{"I", "'Ll", " ", "1", "2", "3", "4", "5", " ABCdef\u0301",
                                          "X", " ", " /", "a", "!!\n\n", " ", " b", "\t\n"}));
}

TEST(GgufPreTokenizers, SpacesAtTheEndAreOneWord) {
  EXPECT_EQ(split("gpt-2", "a \n\t "), (Words{"a", " \n\t "}));
  EXPECT_EQ(split("gpt-2", ""), Words{});
}

TEST(GgufPreTokenizers, WhiteSpaceIsUnicodesProperty) {
  // An ideographic space is one; the Mongolian vowel separator U+180E is none since Unicode 6.3.
  EXPECT_EQ(split("gpt-2", "a\u3000\u3000b"), (Words{"a", "\u3000", "\u3000", "b"}));
  EXPECT_EQ(split("gpt-2", "a\u180e\u180eb"), (Words{"a", "\u180e\u180e", "b"}));
}

TEST(GgufPreTokenizers, TogetherTheWordsAreTheText) {
  const std::string text =
      "caf\u00e9 \U0001f600\U0001f600 \u4e00\u4e8c 3\u00bd\u0663 --\t'll'x \u00a0";
  for (const std::string& name : gguf_pre_tokenizer_names()) {
    std::string joined;
    for (const std::string& word : split(name, text)) {
      EXPECT_FALSE(word.empty());
      joined += word;
    }
    EXPECT_EQ(joined, text) << name;
  }
}

TEST(GgufPreTokenizers, AnUnknownNameIsNotGuessed) {
  EXPECT_FALSE(find_gguf_pre_tokenizer("no-such-split"));
  EXPECT_FALSE(find_gguf_pre_tokenizer(""));
}

}  // namespace
}  // namespace qaq
