#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/analysis/table.h"
#include "core/base/progress.h"

namespace qaq {

/// Writes a table as an HDF5 file of columns (column_file.h) with `format` = "qaq-table". Whole
/// numbers are int32 (-2147483648 without a value), numbers float32 (NaN without one), texts UTF-8,
/// choices int32 with the attribute `choices`. Throws Error{work} where it cannot be written.
void write_table_file(const std::string& path, const Table& table,
                      const nlohmann::ordered_json& head, const Work& work = {});

}  // namespace qaq
