#pragma once

#include "core/analysis/experiment.h"

namespace qaq {

/// How much a quantized prefix still changes what is predicted, over the distance from it: windows
/// of a text, the first half of each quantized once (section 10, prefix mode).
ExperimentResult run_drift(const ExperimentContext& context);

}  // namespace qaq
