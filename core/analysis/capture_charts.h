#pragma once

#include <string>

#include "core/analysis/chart.h"
#include "core/analysis/table.h"

namespace qaq {

// Charts of the experiments on captures. Tables are ExperimentTables with these names.

/// Figure 2b: the scores of `place` (the main table, queries by keys) with the violations (in
/// "violations") marked.
Chart fig2b_chart(const std::string& place);

/// Figure 2c: histograms of keys and values (`bins`, the main table), raw and in standard
/// deviations of their units, and their tails from `tail` to `edge`.
Chart fig2c_chart(const Table& bins, double tail, double edge);

}  // namespace qaq
