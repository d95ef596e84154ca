#pragma once

#include "core/analysis/experiment.h"

namespace qaq {

/// Experiments that hold QAQ over a grid of settings against flat bits (section 7 of the
/// mathematics). They run the same settings and look at them differently.
ExperimentResult run_fig3(const ExperimentContext& context);
ExperimentResult run_fig4(const ExperimentContext& context);
ExperimentResult run_table1(const ExperimentContext& context);

}  // namespace qaq
