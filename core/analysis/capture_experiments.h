#pragma once

#include "core/analysis/experiment.h"

namespace qaq {

/// Experiments that look at captured keys, values and attention of a run with the whole cache
/// (sections 4 and 7 of the mathematics).
ExperimentResult run_fig2b(const ExperimentContext& context);
ExperimentResult run_fig2c(const ExperimentContext& context);
ExperimentResult run_bound(const ExperimentContext& context);

}  // namespace qaq
