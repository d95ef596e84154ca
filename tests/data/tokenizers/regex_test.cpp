#include "data/tokenizers/regex.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "data/tokenizers/regex_dialect.h"
#include "tests/support/refusal.h"

namespace qaq {
namespace {

using Matches = std::vector<std::string>;

Matches matches(const std::string& pattern, std::string_view text) {
  Matches out;
  Regex(pattern).for_each_match(text, [&](std::size_t begin, std::size_t end) {
    out.emplace_back(text.substr(begin, end - begin));
  });
  return out;
}

// The same with an expression of tokenizer.json.
Matches ruby(std::string_view pattern, std::string_view text) {
  return matches(pcre2_pattern(pattern), text);
}

using test::refusal;

TEST(Regex, ABrokenExpressionIsRefusedWithPlaceAndReason) {
  EXPECT_EQ(refusal([] { Regex("([0-9"); }),
            "byte 5 of the pattern: the regular expression is broken: missing terminating ] for "
            "character class; mend the expression");
}

// (a+)+ tries every way to cut the letters: 2^n of them.
TEST(Regex, AnExpressionThatNeverEndsGivesUp) {
  for (const char* pattern : {R"((\p{L}+)+\p{N})", R"((a|aa)+[!?])", R"((a*)*(a*)*(a*)*[!?])"}) {
    const std::string line = refusal([&] { matches(pattern, std::string(60, 'a')); });
    EXPECT_NE(line.find("gives up"), std::string::npos) << line;
  }
}

// The square and the cube of the text, from every place anew.
TEST(Regex, AnExpressionThatGrowsTooFastWithTheTextGivesUp) {
  for (const char* pattern : {"(?:a|b)*(?:a|b)*[!?]", "(?:a|b)*(?:a|b)*(?:a|b)*[!?]"}) {
    EXPECT_EQ(refusal([&] { matches(pattern, std::string(30, 'a')); }), "taken");
    const std::string line = refusal([&] { matches(pattern, std::string(20000, 'a')); });
    EXPECT_NE(line.find("gives up"), std::string::npos) << line;
  }
}

TEST(Regex, MatchesAreFoundHoweverFarApart) {
  for (const std::size_t n : {0, 30, 31, 32, 33, 100}) {
    std::string text;
    for (std::size_t i = 0; i < n; ++i) text += "\u00e9";
    EXPECT_EQ(matches("x|\u00ea", text + "x" + text + "\u00ea"), (Matches{"x", "\u00ea"})) << n;
  }
}

TEST(Regex, ALongRepeatedGroupIsNoTrouble) {
  const std::string text(400000, 'a');
  EXPECT_EQ(matches("(?:a(?:b|))+", text), Matches{text});
}

TEST(RegexDialect, WhiteSpaceAndWordsAreOnigurumasSets) {
  EXPECT_EQ(ruby(R"(\s+)", "a \u3000\u0085b\u180ec"), (Matches{" \u3000\u0085"}));
  EXPECT_EQ(ruby(R"([^\s]+)", "a\u180eb c"), (Matches{"a\u180eb", "c"}));
  EXPECT_EQ(ruby(R"([\S]+)", "ab c"), (Matches{"ab", "c"}));
  EXPECT_EQ(ruby(R"(\w+)", "e\u0301_1 \u00bd"), (Matches{"e\u0301_1"}));
  EXPECT_EQ(ruby(R"([\w-]+)", "e\u0301-x!"), (Matches{"e\u0301-x"}));
  EXPECT_EQ(ruby(R"(\W+)", "a!?b"), (Matches{"!?"}));
  EXPECT_EQ(ruby(R"(\d+\D)", "1\u0663x"), (Matches{"1\u0663x"}));
}

TEST(RegexDialect, WhatMeansTheSameStaysAsItIs) {
  for (const char* same :
       {R"((?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})", R"([]a]+|[^]b])",
        R"(a{2,}b{3}|\{x\}|\[\]\(\))", R"((?<!a)b(?=c)(?!d)(?>e))", "\u4e00-\u9fff"}) {
    EXPECT_EQ(pcre2_pattern(same), same);
  }
  EXPECT_EQ(pcre2_pattern(R"(a{,3}\u4e00\v)"), R"(a{0,3}\x{4e00}\x0b)");
  EXPECT_EQ(ruby("^b$", "a\nb\nc"), (Matches{"b"}));  // in Ruby, lines
}

TEST(RegexDialect, WhatCouldMeanSomethingElseIsRefusedByName) {
  for (const char* unlike :
       {R"(\b)", R"(\h)", R"(\G)", R"(\X)", R"(\1)", R"(\k<n>)", R"((?<n>a))", "(*LIMIT_MATCH=9)a",
        R"([a&&b])", R"([[:alpha:]])", R"([a[bc]])", R"(\p{Han})", R"(\p{Alpha})", R"(\pL)",
        R"([\W])", R"(\u12)", "(?m:a)", "(?R)", "a{1,2}+"}) {
    const std::string line = refusal([&] { pcre2_pattern(unlike); });
    EXPECT_NE(line.find("not supported"), std::string::npos) << unlike << ": " << line;
  }
}

TEST(RegexDialect, ALiteralMatchesItself) {
  const std::string text = "a.b*[c]\\d(e)\n\u2581{2}^$|?+#";
  EXPECT_EQ(matches(literal_pattern(text), "x" + text + "y"), Matches{text});
}

}  // namespace
}  // namespace qaq
