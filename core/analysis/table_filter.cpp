#include "core/analysis/table_filter.h"

#include <algorithm>
#include <utility>

namespace qaq {
namespace {

struct IndexedRange {
  std::size_t column = 0;
  std::int64_t least = 0, most = 0;

  bool holds(std::span<const Cell> row) const {
    const auto* value = std::get_if<std::int64_t>(&row[column]);
    return value != nullptr && *value >= least && *value <= most;
  }
};

}  // namespace

Table rows_within(Table table, std::vector<ColumnRange> ranges) {
  std::vector<IndexedRange> indexed;
  for (const ColumnRange& range : ranges) {
    const auto column = std::ranges::find(table.columns, range.column, &Column::name);
    if (column == table.columns.end()) continue;
    indexed.push_back(
        {static_cast<std::size_t>(column - table.columns.begin()), range.least, range.most});
  }
  if (indexed.empty()) return table;
  Table out{.columns = table.columns, .n_rows = 0, .for_each_row = {}};
  out.for_each_row = [all = std::move(table.for_each_row), indexed](const RowSink& sink) {
    all([&](std::span<const Cell> row) {
      const bool within =
          std::ranges::all_of(indexed, [&](const IndexedRange& range) { return range.holds(row); });
      if (within) sink(row);
    });
  };
  out.for_each_row([&](std::span<const Cell>) { ++out.n_rows; });
  return out;
}

}  // namespace qaq
