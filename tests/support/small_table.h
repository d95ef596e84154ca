#pragma once

#include <string>
#include <vector>

#include "core/analysis/table.h"

namespace qaq::test {

/// Two rows of every kind of column, the second with nothing where a cell may have nothing.
inline Table small_table() {
  Table table;
  table.columns = {{.name = "side", .kind = ColumnKind::choice, .choices = {"key", "value"}},
                   {.name = "n", .unit = "bit"},
                   {.name = "x", .kind = ColumnKind::real, .unit = "1"},
                   {.name = "t", .kind = ColumnKind::text}};
  table.n_rows = 2;
  table.for_each_row = [](const RowSink& sink) {
    sink(std::vector<Cell>{std::int64_t{1}, std::int64_t{-3}, 0.1f, std::string("4 5")});
    sink(std::vector<Cell>{std::int64_t{0}, {}, {}, std::string()});
  };
  return table;
}

}  // namespace qaq::test
