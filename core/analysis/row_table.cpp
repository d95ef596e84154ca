#include "core/analysis/row_table.h"

#include <cmath>
#include <memory>

namespace qaq {

Table table_of(std::vector<Column> columns, std::vector<std::vector<Cell>> rows) {
  Table table;
  table.columns = std::move(columns);
  table.n_rows = std::ssize(rows);
  table.for_each_row = [kept = std::make_shared<const std::vector<std::vector<Cell>>>(
                            std::move(rows))](const RowSink& sink) {
    for (const auto& row : *kept) sink(row);
  };
  return table;
}

Column real_column(std::string name, std::string unit) {
  return {.name = std::move(name), .kind = ColumnKind::real, .unit = std::move(unit)};
}

Cell real_cell(double value) {
  if (!std::isfinite(value)) return {};
  return static_cast<float>(value);
}

}  // namespace qaq
