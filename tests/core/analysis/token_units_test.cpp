// Text in words, sentences and paragraphs, and tokens as they are shown.
#include "core/analysis/token_units.h"

#include <gtest/gtest.h>

namespace qaq::test {
namespace {

CaptureInfo text_of(const std::vector<std::string>& tokens) {
  CaptureInfo info;
  info.n_tokens = std::ssize(tokens);
  info.token_text = tokens;
  info.token_bytes = tokens;
  for (std::int32_t id = 0; id < info.n_tokens; ++id) info.token_ids.push_back(id);
  return info;
}

using Units = std::vector<TokenRange>;

TEST(TokenUnits, AreWordsSentencesAndParagraphs) {
  const CaptureInfo info = text_of(
      {"The", " light", "house", ",", " he", "'s", " gone", ".", " So", "!", "\n", "\n", "End"});
  EXPECT_EQ(token_units(info, Granularity::token).size(), 13u);
  EXPECT_EQ(token_units(info, Granularity::word), (Units{{0, 0},
                                                         {1, 2},
                                                         {3, 3},
                                                         {4, 5},
                                                         {6, 6},
                                                         {7, 7},
                                                         {8, 8},
                                                         {9, 9},
                                                         {10, 10},
                                                         {11, 11},
                                                         {12, 12}}));
  EXPECT_EQ(token_units(info, Granularity::sentence),
            (Units{{0, 7}, {8, 9}, {10, 10}, {11, 11}, {12, 12}}));
  EXPECT_EQ(token_units(info, Granularity::paragraph), (Units{{0, 11}, {12, 12}}));
}

TEST(TokenUnits, SpecialTokensStandAlone) {
  CaptureInfo info = text_of({"<s>", "A", "b", "</s>", "c"});
  info.special_ids = {0, 3};
  for (const Granularity granularity : {Granularity::word, Granularity::paragraph}) {
    EXPECT_EQ(token_units(info, granularity), (Units{{0, 0}, {1, 2}, {3, 3}, {4, 4}}));
  }
  EXPECT_TRUE(is_special(info, 3));
  EXPECT_FALSE(is_special(info, 4));
}

TEST(TokenUnits, HoldEveryTokenOnce) {
  const CaptureInfo info = text_of({"a", "", " ", "\n", "..", "\n\n", " b", "-c", "?\"", "d"});
  for (const Granularity granularity :
       {Granularity::token, Granularity::word, Granularity::sentence, Granularity::paragraph}) {
    std::int32_t next = 0;
    for (const TokenRange& unit : token_units(info, granularity)) {
      EXPECT_EQ(unit.first, next);
      EXPECT_LE(unit.first, unit.last);
      next = unit.last + 1;
    }
    EXPECT_EQ(next, info.n_tokens);
  }
}

TEST(TokenDisplay, ShowsWhatHasNoShape) {
  CaptureInfo info = text_of({" word", "  ", "\n", "a\tb", "\uFFFD", "", "\x01", "é", " "});
  info.token_bytes[4] = "\xE2\x96";
  info.token_bytes[5] = "\x80";
  EXPECT_EQ(token_display(info, 0), "word");
  EXPECT_EQ(token_display(info, 1), "␣␣");
  EXPECT_EQ(token_display(info, 2), "⏎");
  EXPECT_EQ(token_display(info, 3), "a→b");
  EXPECT_EQ(token_display(info, 4), "E2 96") << "part of a letter";
  EXPECT_EQ(token_display(info, 5), "80");
  EXPECT_EQ(token_display(info, 6), "01");
  EXPECT_EQ(token_display(info, 7), "é");
  EXPECT_EQ(token_hex(info, 7), "C3 A9");
  EXPECT_EQ(token_display(info, 8), "␣");
}

}  // namespace
}  // namespace qaq::test
