#include "data/results/results_table.h"

#include <algorithm>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "data/capture/column_file.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;
using Values = std::vector<const Json*>;  // one a row; null: the run has none

const Json kNothing;

// Cells of all rows by column, columns in the order in which runs bring them.
class Cells {
 public:
  explicit Cells(std::size_t n_rows) : n_rows_(n_rows) {}

  void set(std::size_t row, std::string name, const Json& value) {
    std::ranges::replace(name, '/', '_');
    if (name.empty() || name == "." || name == kRecordColumn)
      return;  // HDF5 has no such names to give
    const auto [found, is_new] = index_.try_emplace(name, columns_.size());
    if (is_new) columns_.emplace_back(name, Values(n_rows_, &kNothing));
    columns_[found->second].second[row] = &value;
  }
  const std::vector<std::pair<std::string, Values>>& columns() const { return columns_; }

 private:
  std::size_t n_rows_;
  std::map<std::string, std::size_t> index_;
  std::vector<std::pair<std::string, Values>> columns_;
};

// `json` and what is in it: "name", "name.member", "name.0".
void add(Cells& cells, std::size_t row, const std::string& name, const Json& json) {
  if (json.is_structured()) {
    for (const auto& [key, value] : json.items()) {
      add(cells, row, name.empty() ? key : name + "." + key, value);
    }
  } else {
    cells.set(row, name, json);
  }
}

void add_run(Cells& cells, std::size_t row, const ResultRecord& record) {
  const bool ours = record.qaq_scope.is_object();
  for (const auto& [key, value] : record.params.items()) {
    const bool quantizer = key.ends_with("_quantizer");
    if (!quantizer) {
      add(cells, row, key, value);
    } else if (!ours && value.is_object()) {
      const std::string side = key.substr(0, key.find('_'));
      for (const auto& [name, each] : value.items()) {
        if (name != "key_or_value_cache") {
          add(cells, row, side + "." + name_of_authors(name), each);
        }
      }
    }
  }
  if (ours) {
    for (const auto& [key, value] : record.qaq_scope.items()) {
      const bool plain = key == "parameters" || key == "metrics";
      if (key != "metrics") add(cells, row, plain ? "" : key, value);
    }
  }
  add(cells, row, "", record.results);
  if (ours && record.qaq_scope.contains("metrics")) {
    add(cells, row, "", record.qaq_scope["metrics"]);
  }
}

std::string text_of(const Json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

FileColumn::Values values_of(const Values& cells) {
  const auto all = [&](auto is) { return std::ranges::all_of(cells, is); };
  const auto into = [&](auto out, auto convert) -> FileColumn::Values {
    for (const Json* each : cells) out.push_back(convert(*each));
    return out;
  };
  if (all([](const Json* each) { return each->is_boolean(); })) {
    return into(std::vector<std::int32_t>(), [](const Json& j) { return j.get<bool>() ? 1 : 0; });
  }
  if (all([](const Json* each) { return each->is_number_integer(); })) {
    return into(std::vector<std::int64_t>(), [](const Json& j) { return j.get<std::int64_t>(); });
  }
  if (all([](const Json* each) { return each->is_number() || each->is_null(); })) {
    return into(std::vector<double>(), [](const Json& j) {
      return j.is_null() ? std::numeric_limits<double>::quiet_NaN() : j.get<double>();
    });
  }
  return into(std::vector<std::string>(), text_of);
}

}  // namespace

bool names_results_table(const std::string& path) {
  return path.ends_with(".h5") || path.ends_with(".hdf5");
}

void write_results_table(const std::string& path, const std::vector<ResultRecord>& records,
                         const Json& head) {
  Cells cells(records.size());
  std::vector<std::string> whole;
  for (std::size_t row = 0; row < records.size(); ++row) {
    add_run(cells, row, records[row]);
    whole.push_back(to_json(records[row]).dump());
  }
  std::vector<FileColumn> columns;
  for (const auto& [name, values] : cells.columns()) {
    columns.push_back({name, values_of(values)});
    if (std::holds_alternative<std::vector<std::int32_t>>(columns.back().values)) {
      columns.back().choices = {"false", "true"};
    }
  }
  columns.push_back({kRecordColumn, std::move(whole)});
  write_columns(path, kResultsTable, columns, head);
}

}  // namespace qaq
