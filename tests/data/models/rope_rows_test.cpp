#include "data/models/rope_rows.h"

#include <gtest/gtest.h>

#include "tests/support/reference_file.h"
#include "tests/support/test_data.h"

namespace qaq {
namespace {

// Rows of one byte: row r of the result is input row out[r].
std::vector<int> order(int n_rows, int head_dim, int n_rotary_dim) {
  std::vector<std::byte> rows;
  for (int r = 0; r < n_rows; ++r) rows.push_back(static_cast<std::byte>(r));
  std::vector<int> out;
  for (const std::byte row : half_split_rows(rows, 1, head_dim, n_rotary_dim)) {
    out.push_back(std::to_integer<int>(row));
  }
  return out;
}

TEST(RopeRows, EvenRowsComeFirstThenOddOnes) {
  EXPECT_EQ(order(8, 8, 8), (std::vector<int>{0, 2, 4, 6, 1, 3, 5, 7}));
}

TEST(RopeRows, EachHeadIsReorderedByItself) {
  EXPECT_EQ(order(8, 4, 4), (std::vector<int>{0, 2, 1, 3, 4, 6, 5, 7}));
}

TEST(RopeRows, RowsThatDoNotTurnStay) {
  EXPECT_EQ(order(12, 6, 4), (std::vector<int>{0, 2, 1, 3, 4, 5, 6, 8, 7, 9, 10, 11}));
}

TEST(RopeRows, WholeRowsMove) {
  std::vector<std::byte> rows;
  for (int b = 0; b < 12; ++b) rows.push_back(static_cast<std::byte>(b));
  const auto out = half_split_rows(rows, 3, 4, 4);
  EXPECT_EQ(std::to_integer<int>(out[3]), 6);  // second row was the third
  EXPECT_EQ(std::to_integer<int>(out[5]), 8);
}

TEST(RopeRows, IsThePermutationOfTheReferenceData) {
  const test::ReferenceFile file(test::test_data_path("oracle/tiny_llama_forward.h5"));
  const auto reference = file.integers("half_split_from_interleaved");
  const auto ours = order(16, 16, 16);
  ASSERT_EQ(reference.size(), ours.size());
  for (std::size_t i = 0; i < ours.size(); ++i) EXPECT_EQ(ours[i], reference[i]) << i;
}

}  // namespace
}  // namespace qaq
