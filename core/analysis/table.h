#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace qaq {

/// What stands in a column. A choice is a whole number that counts in `choices`.
enum class ColumnKind { integer, real, text, choice };
struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::integer;
  std::string unit{};  ///< "1": dimensionless; empty: an index or a text
  std::vector<std::string> choices{};
};

/// Nothing where there is no value. Texts hold no commas, quotes or line breaks.
using Cell = std::variant<std::monostate, std::int64_t, float, std::string>;
using RowSink = std::function<void(std::span<const Cell>)>;

/// Rows that are made while they are written, so that no more than one of them is in memory.
struct Table {
  std::vector<Column> columns;
  std::int64_t n_rows = 0;
  std::function<void(const RowSink&)> for_each_row;  ///< n_rows calls of columns.size() cells
};

}  // namespace qaq
