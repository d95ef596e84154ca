#include "data/capture/table_file.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "data/capture/h5_array.h"
#include "data/capture/h5_attribute.h"
#include "data/capture/h5_thread.h"
#include "data/files/partial_file.h"

namespace qaq {
namespace {

/// All values of one column; only the vector of its kind is filled.
struct ColumnValues {
  std::vector<std::int32_t> integers;
  std::vector<float> reals;
  std::vector<std::string> texts;

  void add(const Cell& cell, ColumnKind kind) {
    if (kind == ColumnKind::text) {
      const auto* text = std::get_if<std::string>(&cell);
      texts.push_back(text ? *text : std::string());
    } else if (kind == ColumnKind::real) {
      const auto* number = std::get_if<float>(&cell);
      reals.push_back(number ? *number : std::numeric_limits<float>::quiet_NaN());
    } else {
      const auto* number = std::get_if<std::int64_t>(&cell);
      integers.push_back(number ? static_cast<std::int32_t>(*number)
                                : std::numeric_limits<std::int32_t>::min());
    }
  }
};

std::vector<ColumnValues> all_values(const Table& table, const Work& work) {
  std::vector<ColumnValues> values(table.columns.size());
  table.for_each_row([&](std::span<const Cell> row) {
    work.throw_if_stopped();
    for (std::size_t i = 0; i < row.size(); ++i) values[i].add(row[i], table.columns[i].kind);
  });
  return values;
}

void write_column(const h5::File& file, const Column& column, const ColumnValues& values) {
  const std::string path = cat("/", column.name);
  if (column.kind == ColumnKind::text) {
    h5::write_texts(file, path, values.texts);
  } else if (column.kind == ColumnKind::real) {
    h5::write_array<float>(file, path, {values.reals.size()}, values.reals);
  } else {
    h5::write_array<std::int32_t>(file, path, {values.integers.size()}, values.integers);
  }
  const h5::Attributes attributes(file, path);
  if (!column.unit.empty()) attributes.set("units", column.unit);
  if (column.kind == ColumnKind::choice) attributes.set("choices", column.choices);
}

}  // namespace

void write_table_file(const std::string& path, const Table& table,
                      const nlohmann::ordered_json& head, const Work& work) {
  const std::vector<ColumnValues> values = all_values(table, work);
  std::vector<std::string> names;
  for (const Column& column : table.columns) names.push_back(column.name);
  const std::string name = PartialFile::name_for_writing(path);
  PartialFile partial(path);
  h5::thread().run([&] {
    h5::File file(name, h5::Access::create);
    const h5::Attributes root(file, "/");
    root.set("format", "qaq-table");
    root.set("format_version", std::int64_t{1});
    root.set("columns", names);
    root.set("head_json",
             head.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    for (std::size_t i = 0; i < values.size(); ++i) write_column(file, table.columns[i], values[i]);
    file.close();
  });
  partial.rename();
}

}  // namespace qaq
