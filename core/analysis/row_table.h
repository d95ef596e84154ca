#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/analysis/table.h"

namespace qaq {

/// Rows that are few enough to be kept, as a table; each of columns.size() cells.
Table table_of(std::vector<Column> columns, std::vector<std::vector<Cell>> rows);

/// A column of numbers in a unit; "1" where there is none.
Column real_column(std::string name, std::string unit = "1");

/// A number as a cell; what is not finite is nothing.
Cell real_cell(double value);

}  // namespace qaq
