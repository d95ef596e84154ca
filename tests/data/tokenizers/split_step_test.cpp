#include "data/tokenizers/split_step.h"

#include <gtest/gtest.h>

#include "data/tokenizers/metaspace_step.h"

namespace qaq {
namespace {

using Words = std::vector<std::string>;

Words apply(const PreTokenizerStep& step, std::string_view text, bool at_beginning = true) {
  Words out;
  step.apply(text, at_beginning, out);
  return out;
}

Words split(SplitBehavior behavior, bool invert = false) {
  return apply(SplitStep(Regex("-"), behavior, invert), "-a--bc-");
}

// The words of the library's own documentation of these behaviors.
TEST(SplitStep, MatchesBecomeWhatTheBehaviorSays) {
  EXPECT_EQ(split(SplitBehavior::isolated), (Words{"-", "a", "-", "-", "bc", "-"}));
  EXPECT_EQ(split(SplitBehavior::removed), (Words{"a", "bc"}));
  EXPECT_EQ(split(SplitBehavior::merged_with_previous), (Words{"-", "a-", "-", "bc-"}));
  EXPECT_EQ(split(SplitBehavior::merged_with_next), (Words{"-a", "-", "-bc", "-"}));
  EXPECT_EQ(split(SplitBehavior::contiguous), (Words{"-", "a", "--", "bc", "-"}));
}

TEST(SplitStep, InvertedTheRestCountsAsMatch) {
  EXPECT_EQ(split(SplitBehavior::removed, true), (Words{"-", "-", "-", "-"}));
  EXPECT_EQ(split(SplitBehavior::isolated, true), (Words{"-", "a", "-", "-", "bc", "-"}));
}

TEST(MetaspaceStep, SpacesAreWrittenOutAndOneIsPutInFront) {
  const auto words = [](PrefixScheme prefix, bool cut, std::string_view text, bool first = true) {
    return apply(MetaspaceStep("_", prefix, cut), text, first);
  };
  EXPECT_EQ(words(PrefixScheme::always, true, "a  b c"), (Words{"_a", "_", "_b", "_c"}));
  EXPECT_EQ(words(PrefixScheme::always, false, "a  b c"), (Words{"_a__b_c"}));
  EXPECT_EQ(words(PrefixScheme::always, true, " a"), (Words{"_a"}));
  EXPECT_EQ(words(PrefixScheme::never, true, "a b"), (Words{"a", "_b"}));
  EXPECT_EQ(words(PrefixScheme::first, true, "a b", false), (Words{"a", "_b"}));
  EXPECT_EQ(words(PrefixScheme::first, true, "a b", true), (Words{"_a", "_b"}));
  EXPECT_EQ(apply(PrefixSpaceStep(), "a"), Words{" a"});
  EXPECT_EQ(apply(PrefixSpaceStep(), " a"), Words{" a"});
}

}  // namespace
}  // namespace qaq
