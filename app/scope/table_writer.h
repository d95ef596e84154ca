#pragma once

#include <string>

#include "core/analysis/table.h"
#include "core/base/progress.h"

namespace qaq::scope {

/// Writes rows as .csv (under a line of comment with their origin) or .h5, by the name's ending,
/// under a temporary name first. Throws Error{usage} for another ending and Error{work} where it
/// cannot be written.
void writeTable(const std::string& path, const Table& table, const std::string& provenance,
                const Work& work);

}  // namespace qaq::scope
