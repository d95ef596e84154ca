#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/analysis/chart.h"
#include "core/analysis/table.h"

namespace qaq {

/// Rows of tables, for series of charts.
using ChartRows = std::vector<std::int64_t>;

/// All of them, told one by one.
ChartRows all_rows(const Table& table);
/// Rows whose text in `column` is accepted. Choices are texts; the column is there.
ChartRows rows_where(const Table& table, const std::string& column,
                     const std::function<bool(const std::string&)>& accepts);
/// Rows whose text in `column` begins with `beginning`.
ChartRows rows_beginning(const Table& table, const std::string& column,
                         const std::string& beginning);

/// Of `rows`, those that no other beats in both columns: larger `ratio`, and larger `gain` or,
/// where `gain_is_loss`, smaller. In order of the ratio.
struct FrontColumns {
  std::string ratio, gain;
  bool gain_is_loss = false;
};
ChartRows front_rows(const Table& table, const ChartRows& rows, const FrontColumns& columns);

}  // namespace qaq
