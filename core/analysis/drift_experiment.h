#pragma once

#include "core/analysis/experiment.h"

namespace qaq {

/// What 2,000 steps of decode do to a cache that is quantized once, to QAQ's, whose bits are
/// lowered in steps, and to one whose whole history is quantized again at each flush: errors of
/// each step's scores and outputs, from a text's capture (section 5).
ExperimentResult run_drift(const ExperimentContext& context);

}  // namespace qaq
