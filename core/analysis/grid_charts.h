#pragma once

#include "core/analysis/chart.h"
#include "core/analysis/table.h"

namespace qaq {

/// QAQ beside flat bits: accuracy and KL against ratio_paper and ratio_packed, with each method's
/// front. `settings` is the score table of both, an ExperimentTable called `name`; flat settings
/// are called "flat ...", QAQ's "qaq ...", `whole` is the whole cache's accuracy.
Chart tradeoff_chart(const Table& settings, const std::string& name, double whole);

}  // namespace qaq
