#pragma once

#include <string>
#include <vector>

#include "core/analysis/tradeoff_chart.h"

namespace qaq {

/// The runs of a results file (results_file.h) for a trade-off: those of this program and those of
/// the authors apart, each under the file's name without its folder. Throws Error{input}.
std::vector<TradeoffRuns> read_tradeoff_runs(const std::string& path);

}  // namespace qaq
