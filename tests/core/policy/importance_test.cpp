#include "core/policy/importance.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace qaq {
namespace {

// Four query heads on two KV heads, two rows, three tokens.
NdArray<float, 3> scores() {
  NdArray<float, 3> s({4, 2, 3});
  const std::vector<float> numbers{1,  0, 0, .25, .75, 0,   // head 0
                                   1,  0, 0, .5,  .5,  0,   // head 1
                                   1,  0, 0, .5,  .5,  0,   // head 2
                                   .5, 0, 0, 1,   0,   0};  // head 3
  std::copy(numbers.begin(), numbers.end(), s.data());
  return s;
}

std::vector<float> importance(const NdArray<float, 3>& s, GqaReduce reduce,
                              std::int64_t n_kv_heads = 2, std::int64_t n_tokens = 3) {
  NdArray<float, 2> out({n_kv_heads, n_tokens}, 99.0f);
  window_importance(s.view(), reduce, out.view());
  return {out.span().begin(), out.span().end()};
}

TEST(WindowImportance, ReducesTheGroupThenTakesTheLargestRow) {
  EXPECT_EQ(importance(scores(), GqaReduce::max), (std::vector<float>{1, .75, 0, 1, .5, 0}));
  EXPECT_EQ(importance(scores(), GqaReduce::mean), (std::vector<float>{1, .625, 0, .75, .25, 0}));
  EXPECT_EQ(importance(scores(), GqaReduce::sum), (std::vector<float>{2, 1.25, 0, 1.5, .5, 0}));
}

TEST(WindowImportance, WithoutGroupsAllReducersAgree) {
  const auto expected = importance(scores(), GqaReduce::max, 4);
  EXPECT_EQ(importance(scores(), GqaReduce::mean, 4), expected);
  EXPECT_EQ(importance(scores(), GqaReduce::sum, 4), expected);
}

TEST(WindowImportance, QueryHeadsOfAGroupMaySwap) {
  NdArray<float, 3> swapped = scores();
  std::swap_ranges(swapped.sub(0).span().begin(), swapped.sub(0).span().end(),
                   swapped.sub(1).span().begin());
  for (const GqaReduce reduce : {GqaReduce::max, GqaReduce::mean, GqaReduce::sum}) {
    EXPECT_EQ(importance(swapped, reduce), importance(scores(), reduce));
  }
  // Heads 1 and 2 read different KV heads: swapping them is another cache.
  NdArray<float, 3> crossed = scores();
  std::swap_ranges(crossed.sub(0).span().begin(), crossed.sub(0).span().end(),
                   crossed.sub(3).span().begin());
  EXPECT_NE(importance(crossed, GqaReduce::mean), importance(scores(), GqaReduce::mean));
}

TEST(WindowImportance, LooksAtThePrefixAlone) {
  EXPECT_EQ(importance(scores(), GqaReduce::max, 2, 2), (std::vector<float>{1, .75, 1, .5}));
}

TEST(WindowImportance, NoRowsGiveNone) {
  EXPECT_EQ(importance(NdArray<float, 3>({2, 0, 2}), GqaReduce::max, 1, 2),
            (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace qaq
