#include "core/policy/attention_sums.h"

#include <gtest/gtest.h>

namespace qaq {
namespace {

using Numbers = std::vector<double>;

Numbers numbers_of(const NdArray<double, 2>& array) {
  return {array.span().begin(), array.span().end()};
}

TEST(AttentionSums, AreOfTheNewestRowsAndTheFirstTokens) {
  NdArray<float, 3> scores({2, 3, 3});
  for (std::int64_t i = 0; i < scores.size(); ++i) {
    scores.span()[static_cast<std::size_t>(i)] = static_cast<float>(i);
  }
  const auto view = scores.view();
  EXPECT_EQ(numbers_of(attention_sums(view, 3, 3)), (Numbers{9, 12, 15, 36, 39, 42}));
  EXPECT_EQ(numbers_of(attention_sums(view, 2, 2)), (Numbers{9, 11, 27, 29}));
  EXPECT_EQ(numbers_of(attention_sums(view, 0, 1)), (Numbers{0, 0}));
  EXPECT_TRUE(attention_sums(view, 1, 0).empty());
}

TEST(AttentionSums, ReduceOverEachGroup) {
  NdArray<double, 2> of_heads({4, 2});
  const Numbers numbers{1, 8, 3, 2, 0, -4, 6, -2};
  std::copy(numbers.begin(), numbers.end(), of_heads.data());
  const auto view = of_heads.view();
  EXPECT_EQ(numbers_of(reduce_groups(view, GqaReduce::sum, 2)), (Numbers{4, 10, 6, -6}));
  EXPECT_EQ(numbers_of(reduce_groups(view, GqaReduce::mean, 2)), (Numbers{2, 5, 3, -3}));
  EXPECT_EQ(numbers_of(reduce_groups(view, GqaReduce::max, 2)), (Numbers{3, 8, 6, -2}));
  EXPECT_EQ(numbers_of(reduce_groups(view, GqaReduce::mean, 1)), (Numbers{2.5, 1}));
  EXPECT_EQ(numbers_of(reduce_groups(view, GqaReduce::mean, 4)), numbers);
}

}  // namespace
}  // namespace qaq
