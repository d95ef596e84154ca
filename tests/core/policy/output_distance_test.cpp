#include "core/policy/output_distance.h"

#include <gtest/gtest.h>

namespace qaq {
namespace {

TEST(OutputDistance, IsTheLargestOfTheGroup) {
  // One KV head with two query heads, values on a line at 0, 4 and (unseen) 100.
  NdArray<float, 3> value({1, 3, 2});
  value(0, 1, 0) = 4;
  value(0, 2, 0) = 100;
  NdArray<float, 3> scores({2, 1, 3});
  scores(0, 0, 0) = 0.75f;  // X = (1, 0)
  scores(0, 0, 1) = 0.25f;
  scores(1, 0, 1) = 1;  // X = (4, 0)
  NdArray<float, 2> out({1, 2}, -1.0f);
  output_distances(scores.view(), value.view(), out.view());
  EXPECT_EQ(out(0, 0), 16) << "from the second head's X";
  EXPECT_EQ(out(0, 1), 9) << "from the first head's X";
}

TEST(OutputDistance, EachKvHeadHasItsOwnHeads) {
  NdArray<float, 3> value({2, 1, 1});
  value(0, 0, 0) = 2;
  value(1, 0, 0) = 6;
  NdArray<float, 3> scores({2, 1, 1}, 0.5f);
  NdArray<float, 2> out({2, 1}, -1.0f);
  output_distances(scores.view(), value.view(), out.view());
  EXPECT_EQ(out(0, 0), 1);
  EXPECT_EQ(out(1, 0), 9);
}

}  // namespace
}  // namespace qaq
