#pragma once

#include <cstdint>
#include <span>

#include "core/analysis/experiment.h"

namespace qaq {

/// An experiment's questions as one seed draws them.
struct SeededContext {
  std::uint32_t seed = 0;
  ExperimentContext context;
};

/// Runs an experiment that asks questions once a seed (one at least), each in its share of the time
/// that is left of the first context's seconds, and no other on more questions than the first.
/// Every table has a column `seed` in front. With several seeds a table "seeds" comes first: mean,
/// least and largest of accuracy, KL and ratios by setting. n is the least of all. Throws as the
/// experiment.
ExperimentResult run_seeds(const Experiment& experiment, std::span<const SeededContext> draws);

}  // namespace qaq
