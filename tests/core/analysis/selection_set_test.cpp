// Sets of cells: their algebra as properties of sets drawn at random, and what gestures need.
#include "core/analysis/selection_set.h"

#include <gtest/gtest.h>
#include <random>

namespace qaq::test {
namespace {

constexpr SelectionShape kShape{.n_layers = 3, .n_kv_heads = 2, .n_tokens = 130};

SelectionSet any_set(std::mt19937& random) {
  std::vector<SelectionBox> boxes;
  const auto below = [&](std::int32_t n) { return static_cast<std::int32_t>(random() % n); };
  for (std::uint32_t i = 0; i < 1 + random() % 4; ++i) {
    const std::int32_t first = below(kShape.n_tokens), row = below(kShape.n_rows());
    boxes.push_back({{first, first + below(20)}, row, row + below(3)});
  }
  return SelectionSet::of_boxes(kShape, boxes);
}

bool has(const SelectionSet& set, std::int32_t row, std::int32_t token) {
  return set.contains(row / kShape.n_kv_heads, row % kShape.n_kv_heads, token);
}

TEST(SelectionSet, OperationsAreThoseOfEachCell) {
  const unsigned seed = 20240903;
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 40; ++round) {
    const SelectionSet a = any_set(random), b = any_set(random);
    for (const SelectOp op : {SelectOp::replace, SelectOp::add, SelectOp::intersect,
                              SelectOp::remove, SelectOp::toggle}) {
      const SelectionSet c = a.combined(op, b);
      std::int64_t cells = 0;
      for (std::int32_t row = 0; row < kShape.n_rows(); ++row) {
        for (std::int32_t token = 0; token < kShape.n_tokens; ++token) {
          const bool x = has(a, row, token), y = has(b, row, token);
          const bool want = op == SelectOp::replace     ? y
                            : op == SelectOp::add       ? x || y
                            : op == SelectOp::intersect ? x && y
                            : op == SelectOp::remove    ? x && !y
                                                        : x != y;
          ASSERT_EQ(has(c, row, token), want) << row << ' ' << token;
          cells += want ? 1 : 0;
        }
      }
      EXPECT_EQ(c.n_cells(), cells);
      EXPECT_EQ(c.empty(), cells == 0);
    }
    // Laws that undoing and repeating gestures rest on.
    EXPECT_EQ(a.combined(SelectOp::toggle, b).combined(SelectOp::toggle, b), a);
    EXPECT_EQ(a.combined(SelectOp::add, a), a);
    EXPECT_EQ(a.combined(SelectOp::add, b), b.combined(SelectOp::add, a));
    EXPECT_TRUE(a.combined(SelectOp::remove, a).empty());
    EXPECT_EQ(
        a.combined(SelectOp::remove, b).combined(SelectOp::add, a.combined(SelectOp::intersect, b)),
        a);
  }
}

TEST(SelectionSet, IsTheSameAgainFromItsBoxes) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    const SelectionSet set = any_set(random).combined(SelectOp::toggle, any_set(random));
    EXPECT_EQ(SelectionSet::of_boxes(kShape, set.boxes()), set);
    std::int64_t cells = 0;  // boxes do not overlap
    for (const SelectionBox& box : set.boxes()) {
      cells +=
          std::int64_t{box.tokens.last - box.tokens.first + 1} * (box.last_row - box.first_row + 1);
    }
    EXPECT_EQ(cells, set.n_cells());
  }
}

TEST(SelectionSet, OfTokensIsTheSameInEveryLayerAndHead) {
  const auto set = SelectionSet::of_tokens(kShape, std::vector<std::int32_t>{5, 64, 63, 129});
  EXPECT_TRUE(set.is_of_tokens());
  EXPECT_EQ(set.n_tokens(), 4);
  EXPECT_EQ(set.n_cells(), 4 * kShape.n_rows());
  EXPECT_EQ(set.tokens(), (std::vector<TokenRange>{{5, 5}, {63, 64}, {129, 129}}));
  EXPECT_EQ(set.tokens(2), set.tokens());
  EXPECT_EQ(set.boxes().front(), (SelectionBox{{5, 5}, 0, kShape.n_rows() - 1}));
  const auto one = SelectionSet::of_boxes(kShape, {{{1, 2}, 3, 3}});
  EXPECT_FALSE(one.is_of_tokens());
  EXPECT_TRUE(one.tokens(0).empty());
  EXPECT_TRUE(one.contains_token(2));
}

TEST(SelectionSet, WhatLiesOutsideIsLeftOut) {
  const auto set = SelectionSet::of_boxes(kShape, {{{-5, 3}, -2, 0}, {{128, 900}, 5, 99}});
  EXPECT_EQ(set.n_cells(), 4 + 2);
  EXPECT_FALSE(set.contains(0, 0, -1));
  EXPECT_FALSE(set.contains(7, 0, 1));
  EXPECT_EQ(SelectionSet::all(kShape).n_cells(), kShape.n_rows() * kShape.n_tokens);
  EXPECT_TRUE(SelectionSet(kShape).empty());
}

}  // namespace
}  // namespace qaq::test
