#include "data/tokenizers/normalizer.h"

#include <gtest/gtest.h>

namespace qaq {
namespace {

// From the examples of Unicode Standard Annex 15.
TEST(UnicodeForm, EachFormOfTheStandardsExamples) {
  struct Case {
    const char *text, *nfc, *nfd, *nfkc, *nfkd;
  };
  const Case cases[] = {
      {"\u00c5", "\u00c5", "A\u030a", "\u00c5", "A\u030a"},
      {"\u212b", "\u00c5", "A\u030a", "\u00c5", "A\u030a"},
      {"\ufb01", "\ufb01", "\ufb01", "fi", "fi"},
      {"2\u2075", "2\u2075", "2\u2075", "25", "25"},
      {"\u1e9b\u0323", "\u1e9b\u0323", "\u017f\u0323\u0307", "\u1e69", "s\u0323\u0307"},
      {"\u1100\u1161\u11a8", "\uac01", "\u1100\u1161\u11a8", "\uac01", "\u1100\u1161\u11a8"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(to_unicode_form(each.text, UnicodeForm::nfc), each.nfc);
    EXPECT_EQ(to_unicode_form(each.text, UnicodeForm::nfd), each.nfd);
    EXPECT_EQ(to_unicode_form(each.text, UnicodeForm::nfkc), each.nfkc);
    EXPECT_EQ(to_unicode_form(each.text, UnicodeForm::nfkd), each.nfkd);
  }
}

TEST(UnicodeForm, ANulIsACharacterLikeAnyOther) {
  const std::string text("a\0e\u0301", 5);
  EXPECT_EQ(to_unicode_form(text, UnicodeForm::nfc), std::string("a\0\u00e9", 4));
  EXPECT_EQ(to_unicode_form("", UnicodeForm::nfc), "");
}

TEST(Normalizer, StepsFollowEachOther) {
  const auto add = [](const char* more) {
    return [more](std::string text) { return text + more; };
  };
  EXPECT_EQ(Normalizer({add("1"), add("2")}).apply("a"), "a12");
  EXPECT_EQ(Normalizer().apply("a"), "a");
}

}  // namespace
}  // namespace qaq
