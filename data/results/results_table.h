#pragma once

#include <string>
#include <vector>

#include "data/results/result_record.h"

namespace qaq {

inline constexpr const char* kResultsTable = "qaq-results";  ///< the file's format
inline constexpr const char* kRecordColumn = "record_json";

/// True of names that end in .h5 or .hdf5: results under these names are HDF5 tables.
bool names_results_table(const std::string& path);

/// Writes runs as an HDF5 table (column_file.h, `format` = "qaq-results"), one row a run: what it
/// was made on, its parameters ("key.level") and its metrics, each a column; a list has a column
/// an element ("accuracy_wilson_95.0"). Whole numbers are int64, others and those that some runs
/// lack float64 (NaN without one), truth values int32 with `choices`, all else UTF-8 text. The
/// column `record_json` holds each run whole, as the JSON file would: that is what is read back.
/// Throws Error{work}.
void write_results_table(const std::string& path, const std::vector<ResultRecord>& records,
                         const nlohmann::ordered_json& head);

}  // namespace qaq
