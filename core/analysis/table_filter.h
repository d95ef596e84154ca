#pragma once

#include <string>
#include <vector>

#include "core/analysis/table.h"

namespace qaq {

/// Whole numbers of a column from `least` to `most`.
struct ColumnRange {
  std::string column;
  std::int64_t least = 0;
  std::int64_t most = 0;
};

/// The rows that lie in every range. A range of a column that the table does not have means
/// nothing; a row without a value in a column that has a range is left out. Counts rows at once,
/// which makes them once.
Table rows_within(Table table, std::vector<ColumnRange> ranges);

}  // namespace qaq
