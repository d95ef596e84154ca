#include "data/capture/table_file.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "data/capture/column_file.h"

namespace qaq {
namespace {

FileColumn empty_column(const Column& column) {
  FileColumn out{column.name, {}, column.unit, {}};
  if (column.kind == ColumnKind::choice) out.choices = column.choices;
  if (column.kind == ColumnKind::text) out.values = std::vector<std::string>();
  if (column.kind == ColumnKind::real) out.values = std::vector<float>();
  return out;
}

void add(const Cell& cell, FileColumn::Values& values) {
  if (auto* texts = std::get_if<std::vector<std::string>>(&values)) {
    const auto* text = std::get_if<std::string>(&cell);
    texts->push_back(text ? *text : std::string());
  } else if (auto* reals = std::get_if<std::vector<float>>(&values)) {
    const auto* number = std::get_if<float>(&cell);
    reals->push_back(number ? *number : std::numeric_limits<float>::quiet_NaN());
  } else {
    const auto* number = std::get_if<std::int64_t>(&cell);
    std::get<std::vector<std::int32_t>>(values).push_back(
        number ? static_cast<std::int32_t>(*number) : std::numeric_limits<std::int32_t>::min());
  }
}

}  // namespace

void write_table_file(const std::string& path, const Table& table,
                      const nlohmann::ordered_json& head, const Work& work) {
  std::vector<FileColumn> columns;
  for (const Column& column : table.columns) columns.push_back(empty_column(column));
  table.for_each_row([&](std::span<const Cell> row) {
    work.throw_if_stopped();
    for (std::size_t i = 0; i < row.size(); ++i) add(row[i], columns[i].values);
  });
  write_columns(path, "qaq-table", columns, head);
}

}  // namespace qaq
