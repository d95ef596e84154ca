#pragma once

#include "core/analysis/experiment.h"

namespace qaq {

/// Extensions of QAQ (section 9 of the mathematics) beside plain QAQ on a text's capture: errors of
/// scores and outputs over packed bytes, and whether an extension has less at equal bytes.
ExperimentResult run_ext_ema(const ExperimentContext& context);
ExperimentResult run_ext_hybrid(const ExperimentContext& context);
ExperimentResult run_ext_approximate(const ExperimentContext& context);
ExperimentResult run_ext_adaptive(const ExperimentContext& context);

}  // namespace qaq
