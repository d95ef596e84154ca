// Text looked for in the tokens of a capture.
#include "core/analysis/token_search.h"

#include <gtest/gtest.h>

namespace qaq {
namespace {

using Found = std::vector<std::int32_t>;

CaptureInfo info_of(std::vector<std::string> tokens) {
  CaptureInfo info;
  info.token_text = std::move(tokens);
  return info;
}

TEST(TokensWithText, AreThoseInWhichTheTextBegins) {
  const CaptureInfo info = info_of({"The", " light", "house", " keeper", ",", " light"});
  EXPECT_EQ(tokens_with_text(info, "light"), (Found{1, 5}));
  EXPECT_EQ(tokens_with_text(info, "lighthouse keep"), Found{1}) << "over three tokens";
  EXPECT_EQ(tokens_with_text(info, "house"), Found{2});
  EXPECT_EQ(tokens_with_text(info, "HOUSE"), Found{2}) << "case does not matter";
  EXPECT_EQ(tokens_with_text(info, "the"), Found{0});
  EXPECT_EQ(tokens_with_text(info, "t l"), Found{}) << "in no order of theirs";
}

TEST(TokensWithText, CountEachTokenOnce) {
  EXPECT_EQ(tokens_with_text(info_of({"aaa", "a"}), "a"), (Found{0, 1}));
  EXPECT_EQ(tokens_with_text(info_of({"", "", "ab", "", "ab"}), "ab"), (Found{2, 4}))
      << "tokens without text of their own hold nothing";
}

TEST(TokensWithText, FindNothingInNothing) {
  EXPECT_EQ(tokens_with_text(info_of({"a"}), ""), Found{});
  EXPECT_EQ(tokens_with_text(info_of({}), "a"), Found{});
  EXPECT_EQ(tokens_with_text(info_of({"é", " é"}), "É"), Found{}) << "only ASCII has one case";
  EXPECT_EQ(tokens_with_text(info_of({"é", " é"}), "é"), (Found{0, 1}));
}

}  // namespace
}  // namespace qaq
