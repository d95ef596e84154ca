// Rows by the ranges of their columns.
#include "core/analysis/table_filter.h"

#include <gtest/gtest.h>
#include <sstream>

#include "core/analysis/row_table.h"
#include "core/analysis/table_text.h"

namespace qaq {
namespace {

Table sample() {
  return table_of(
      {{.name = "layer"}, {.name = "token"}, {.name = "error", .kind = ColumnKind::real}},
      {{std::int64_t{0}, std::int64_t{1}, 0.5f},
       {std::int64_t{0}, std::int64_t{2}, 1.5f},
       {std::int64_t{3}, std::int64_t{2}, 2.5f},
       {std::int64_t{3}, Cell{}, 3.5f}});
}

std::string csv(const Table& table) {
  std::ostringstream out;
  write_csv(table, out);
  return out.str();
}

TEST(RowsWithin, AreThoseInEveryRange) {
  const Table rows = rows_within(sample(), {{"token", 2, 9}, {"layer", 0, 1}});
  EXPECT_EQ(rows.n_rows, 1);
  EXPECT_EQ(csv(rows), "layer,token,error\n0,2,1.5\n");
}

TEST(RowsWithin, WithoutAValueAreLeftOut) {
  EXPECT_EQ(rows_within(sample(), {{"token", 0, 9}}).n_rows, 3);
}

TEST(RowsWithin, OfColumnsThatThereAreNot) {
  EXPECT_EQ(csv(rows_within(sample(), {{"channel", 5, 9}})), csv(sample()));
}

}  // namespace
}  // namespace qaq
