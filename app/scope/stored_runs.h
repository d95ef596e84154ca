#pragma once

#include <string>
#include <vector>

#include "core/analysis/run_tradeoff.h"
#include "core/base/progress.h"

namespace qaq::scope {

/// The batch runs that a capture file holds, in alphabetical order; runs of another mode or of a
/// broken group are left out. Throws Error{input} for a file that is no capture.
std::vector<RunSummary> storedRuns(const std::string& path, const Work& work = {});

}  // namespace qaq::scope
