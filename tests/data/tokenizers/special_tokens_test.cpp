#include "data/tokenizers/special_tokens.h"

#include <gtest/gtest.h>

#include "core/base/text.h"

namespace qaq {
namespace {

// The pieces as text, special ones as <id>.
std::string shown(const SpecialTokens& special, std::string_view text, bool control = true) {
  std::string out;
  for (const SpecialTokens::Piece& piece : special.split(text, control)) {
    out += piece.id < 0 ? cat("[", piece.text, "]") : cat("<", piece.id, ">");
  }
  return out;
}

TEST(SpecialTokens, TextIsCutAtEveryOccurrence) {
  const SpecialTokens special({{"<s>", 1}, {"<e>", 2}});
  EXPECT_EQ(shown(special, "<s>a<e>b<s><s>"), "<1>[a]<2>[b]<1><1>");
  EXPECT_EQ(shown(special, ""), "");
  EXPECT_EQ(shown(special, "< s>"), "[< s>]");
}

TEST(SpecialTokens, TheLongestTokenIsTakenFirstWhereverItIs) {
  // "aa" begins earlier in "aabcd", and "abcd" is longer.
  const SpecialTokens special({{"aa", 1}, {"abcd", 2}});
  EXPECT_EQ(shown(special, "aabcd"), "[a]<2>");
  EXPECT_EQ(shown(special, "aaabcd"), "<1><2>");
}

TEST(SpecialTokens, ControlTextIsPlainWhereNotAskedForAndUserWordsAreNot) {
  const SpecialTokens special({{"<s>", 1}, {"word", 2, false}});
  EXPECT_EQ(shown(special, "<s>word", true), "<1><2>");
  EXPECT_EQ(shown(special, "<s>word", false), "[<s>]<2>");
}

TEST(SpecialTokens, AnEmptyTextIsNoToken) {
  EXPECT_EQ(shown(SpecialTokens({{"", 1}}), "ab"), "[ab]");
}

}  // namespace
}  // namespace qaq
