#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <variant>
#include <vector>

namespace qaq {

/// A column of a table as a file keeps it.
struct FileColumn {
  using Values = std::variant<std::vector<std::int32_t>, std::vector<std::int64_t>,
                              std::vector<float>, std::vector<double>, std::vector<std::string>>;
  std::string name;  ///< of its dataset; no slash
  Values values;     ///< one a row
  std::string unit{};
  std::vector<std::string> choices{};  ///< what the whole numbers count in
};

/// Writes columns as an HDF5 file, `path`.partial until it is whole: a one-dimensional dataset a
/// column, under its name, with the attributes `units` and `choices` where it has them. The root
/// has the attributes `format`, `format_version` = 1, `columns` (their order), those members of
/// `head` that are texts or whole numbers and, as JSON text, `head_json`. Throws Error{work} where
/// it cannot be written.
void write_columns(const std::string& path, const std::string& format,
                   const std::vector<FileColumn>& columns, const nlohmann::ordered_json& head);

/// The texts of one column. Throws Error{input} where the file is broken or none of this format.
std::vector<std::string> read_text_column(const std::string& path, const std::string& format,
                                          const std::string& name);

}  // namespace qaq
