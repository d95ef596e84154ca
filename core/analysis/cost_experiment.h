#pragma once

#include "core/analysis/experiment.h"

namespace qaq {

/// Measures the seconds that QAQ's steps take over the length of the cache, beside the forward
/// pass.
ExperimentResult run_cost(const ExperimentContext& context);

}  // namespace qaq
