// Rows of a table, kept to be looked at in any order.
#include "core/analysis/table_rows.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>
#include <sstream>

#include "core/analysis/row_table.h"
#include "core/analysis/table_text.h"
#include "core/base/error.h"

namespace qaq::test {
namespace {

Table example() {
  const auto row = [](std::int64_t cache, std::int64_t head, std::int64_t token, Cell number,
                      Cell text) {
    return std::vector<Cell>{cache, std::int64_t{7}, head, token, number, text};
  };
  return table_of({{.name = "cache", .kind = ColumnKind::choice, .choices = {"key", "value"}},
                   {.name = "layer"},
                   {.name = "kv_head"},
                   {.name = "token"},
                   {.name = "error", .kind = ColumnKind::real, .unit = "1"},
                   {.name = "note", .kind = ColumnKind::text}},
                  {row(0, 0, 0, 0.5f, std::string("b")), row(0, 1, 1, {}, {}),
                   row(1, 0, 2, -1.25f, std::string("a")), row(1, 1, 3, 0.5f, std::string("c"))});
}

std::string csv(const Table& table) {
  std::ostringstream out;
  write_csv(table, out);
  return std::move(out).str();
}

std::vector<std::int32_t> sorted(const TableRows& rows, std::size_t column, bool descending) {
  std::vector<std::int32_t> order(static_cast<std::size_t>(rows.n_rows()));
  std::iota(order.begin(), order.end(), 0);
  rows.sort(order, column, descending);
  return order;
}

using Order = std::vector<std::int32_t>;

TEST(TableRows, AreTheTableAgain) {
  const SharedTableRows rows = TableRows::of(example());
  EXPECT_EQ(rows->n_rows(), 4);
  EXPECT_EQ(csv(table_of_rows(rows, {0, 1, 2, 3})), csv(example()));
  EXPECT_EQ(csv(table_of_rows(rows, {2})),
            "cache,layer,kv_head,token,error [1],note\n"
            "value,7,0,2,-1.25,a\n");
  EXPECT_EQ(rows->column("token"), 3u);
  EXPECT_EQ(rows->column("nothing"), 6u);
  EXPECT_EQ(rows->whole(2, 3), 2);
  EXPECT_EQ(rows->whole(2, 4), TableRows::kNothing);
}

TEST(TableRows, SortKeepsEqualOnesInOrderAndPutsNothingLast) {
  const SharedTableRows rows = TableRows::of(example());
  EXPECT_EQ(sorted(*rows, 4, false), (Order{2, 0, 3, 1}));
  EXPECT_EQ(sorted(*rows, 4, true), (Order{0, 3, 2, 1}));
  EXPECT_EQ(sorted(*rows, 5, false), (Order{2, 0, 3, 1}));
  EXPECT_EQ(sorted(*rows, 2, true), (Order{1, 3, 0, 2}));
}

TEST(RowPlaces, KnowWhatARowIsAbout) {
  const SharedTableRows rows = TableRows::of(example());
  const RowPlaces places(rows, 3);
  EXPECT_EQ(places.at(2).cache, 1);
  EXPECT_EQ(places.at(2).layer, 7);
  EXPECT_EQ(places.at(2).step, TableRows::kNothing);
  const RowPlace lock{.cache = 1, .layer = 7, .kv_head = 0, .token = 2, .step = 40};
  EXPECT_TRUE(places.is_about(2, lock)) << "the table knows no steps";
  for (const std::int64_t row : {0, 1, 3}) EXPECT_FALSE(places.is_about(row, lock)) << row;
}

TEST(RowPlaces, AQueryHeadCountsForItsGroup) {
  const auto rows = TableRows::of(
      table_of({{.name = "head"}, {.name = "step"}}, {{std::int64_t{5}, std::int64_t{9}}}));
  const RowPlaces places(rows, 3);
  EXPECT_EQ(places.at(0).kv_head, 1);
  EXPECT_TRUE(places.is_about(0, {.kv_head = 1, .token = 2, .step = 9}));
  EXPECT_FALSE(places.is_about(0, {.kv_head = 0, .step = 9}));
}

TEST(RowPlaces, OfNoCoordinateAreAboutNothing) {
  const auto rows = TableRows::of(table_of({{.name = "bytes"}}, {{std::int64_t{5}}}));
  EXPECT_FALSE(RowPlaces(rows, 1).is_about(0, {.layer = 1, .token = 2}));
}

TEST(RowPlaces, PassAFilterOfTheirCells) {
  const SharedTableRows rows = TableRows::of(example());
  const RowPlaces places(rows, 1);
  const SelectionShape shape{.n_layers = 2, .n_kv_heads = 2, .n_tokens = 4};
  // Layer 7 is the second captured one: rows 2 and 3 of the set.
  const auto filter = SelectionSet::of_boxes(shape, {{{1, 3}, 3, 3}});
  std::vector<bool> passes;
  for (std::int64_t row = 0; row < 4; ++row) passes.push_back(places.passes(row, filter, {3, 7}));
  EXPECT_EQ(passes, (std::vector<bool>{false, true, false, true})) << "KV head 1 alone";
}

TEST(TableRows, StopWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  EXPECT_THROW(TableRows::of(example(), Work(nullptr, stop.get_token())), Error);
}

}  // namespace
}  // namespace qaq::test
