#pragma once

#include "core/analysis/experiment.h"

namespace qaq {

/// Experiments that ask questions on quantized caches (section 7 of the mathematics).
ExperimentResult run_fig2a(const ExperimentContext& context);
ExperimentResult run_table2(const ExperimentContext& context);
ExperimentResult run_table3(const ExperimentContext& context);

}  // namespace qaq
