#include "data/tokenizers/added_tokens.h"

#include <gtest/gtest.h>

#include "core/base/text.h"

namespace qaq {
namespace {

using Token = AddedTokens::Token;

// The pieces as text, added tokens as <id>.
std::string shown(const AddedTokens& added, std::string_view text, bool special = true) {
  std::string out;
  for (const AddedTokens::Piece& piece : added.split(text, special)) {
    out += piece.id < 0 ? cat("[", piece.text, "]") : cat("<", piece.id, ">");
  }
  return out;
}

TEST(AddedTokens, TheLeftmostGoesFirstAndOfThoseTheLongest) {
  const AddedTokens added({{"aa", 1}, {"abcd", 2}, {"ab", 3}});
  EXPECT_EQ(shown(added, "aabcd"), "<1>[bcd]");
  EXPECT_EQ(shown(added, "xabcdab"), "[x]<2><3>");
  EXPECT_EQ(shown(added, ""), "");
}

TEST(AddedTokens, SpecialOnesArePlainWhereNotAskedFor) {
  const AddedTokens added({{"<s>", 1}, {.text = "word", .id = 2, .special = false}});
  EXPECT_EQ(shown(added, "<s>word", true), "<1><2>");
  EXPECT_EQ(shown(added, "<s>word", false), "[<s>]<2>");
}

TEST(AddedTokens, ASingleWordTouchesNoLetterMarkOrDigit) {
  const AddedTokens added({{.text = "ship", .id = 1, .single_word = true}});
  EXPECT_EQ(shown(added, "a ship!"), "[a ]<1>[!]");
  EXPECT_EQ(shown(added, "ship"), "<1>");
  for (const char* text : {"ships", "a_ship", "ship\u0301", "\u00e9ship", "ship7", "ship\u200d"}) {
    EXPECT_EQ(shown(added, text), cat("[", text, "]"));
  }
}

TEST(AddedTokens, SpacesAreTakenAlongWhereTheTokenSaysSo) {
  const AddedTokens added(
      {{.text = "<l>", .id = 1, .lstrip = true}, {.text = "<r>", .id = 2, .rstrip = true}});
  EXPECT_EQ(shown(added, "a \u3000\n<l> b"), "[a]<1>[ b]");
  EXPECT_EQ(shown(added, "a <r> \t\u00a0b"), "[a ]<2>[b]");
  EXPECT_EQ(shown(added, "<r>  <l>"), "<2><1>");
}

}  // namespace
}  // namespace qaq
