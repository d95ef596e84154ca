// B - A, cell by cell.
#include "core/analysis/difference_map.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <vector>

namespace qaq {
namespace {

constexpr float kAbsent = Heatmap::kAbsent, kImpossible = Heatmap::kImpossible;

template <class T>
Heatmap map_of(const Shape<2>& shape, const std::vector<T>& cells) {
  NdArray<T, 2> out(shape);
  std::ranges::copy(cells, out.span().begin());
  return Heatmap(std::move(out));
}

TEST(DifferenceMap, IsTheSecondLessTheFirst) {
  const Heatmap a = map_of<std::uint8_t>({2, 3}, {1, 2, 3, 4, 5, 255});
  const Heatmap b = map_of<std::uint8_t>({2, 3}, {4, 2, 1, 255, 8, 2});
  const Heatmap difference = difference_map(a, b);
  EXPECT_EQ(difference.at(0, 0), 3);
  EXPECT_EQ(difference.at(0, 1), 0);
  EXPECT_EQ(difference.at(0, 2), -2);
  EXPECT_EQ(difference.at(1, 0), kAbsent) << "absent in B";
  EXPECT_EQ(difference.at(1, 1), 3);
  EXPECT_EQ(difference.at(1, 2), kAbsent) << "absent in A";
  const DifferenceCounts counts = difference_counts(difference);
  EXPECT_EQ(counts.largest, 3);
  EXPECT_EQ(counts.higher, 2);
  EXPECT_EQ(counts.lower, 1);
  EXPECT_EQ(counts.equal, 1);
  EXPECT_EQ(counts.total(), 4);
}

TEST(DifferenceMap, WhatOneCannotHaveHasNoDifference) {
  Heatmap a = map_of<float>({1, 3}, {1, 1, 1});
  a.limit_row(0, {0, 2});
  const Heatmap b = map_of<float>({2, 4}, {0.5f, 1, 1, 1, 1, 1, 1, 1});
  const Heatmap difference = difference_map(a, b);
  EXPECT_EQ(difference.rows(), 2);
  EXPECT_EQ(difference.columns(), 4);
  EXPECT_EQ(difference.at(0, 0), -0.5f);
  EXPECT_EQ(difference.at(0, 2), kImpossible);
  EXPECT_EQ(difference.at(0, 3), kImpossible) << "beyond A";
  EXPECT_EQ(difference.at(1, 0), kImpossible);
}

TEST(MapPairTable, HasARowForEveryCellThatOneOfTheTwoHas) {
  const auto shared = [](Heatmap map) { return std::make_shared<const Heatmap>(std::move(map)); };
  MapPair pair{.a = shared(map_of<std::uint8_t>({2, 2}, {1, 2, 255, 255})),
               .b = shared(map_of<std::uint8_t>({2, 2}, {4, 255, 5, 255}))};
  pair.difference = shared(difference_map(*pair.a, *pair.b));
  pair.n_kv_heads = 2;
  const Table table = map_pair_table(pair);
  ASSERT_EQ(table.n_rows, 3);
  std::vector<std::vector<Cell>> rows;
  table.for_each_row([&](std::span<const Cell> row) { rows.emplace_back(row.begin(), row.end()); });
  ASSERT_EQ(rows.size(), 3u);
  using Row = std::vector<Cell>;
  const Cell none, zero = std::int64_t{0}, one = std::int64_t{1};
  EXPECT_EQ(rows[0], (Row{zero, zero, zero, 1.0f, 4.0f, 3.0f}))
      << "layer, head, token, A, B, B - A";
  EXPECT_EQ(rows[1], (Row{zero, zero, one, 2.0f, none, none}));
  EXPECT_EQ(rows[2], (Row{zero, one, zero, none, 5.0f, none}));
}

}  // namespace
}  // namespace qaq
