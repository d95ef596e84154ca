#pragma once

#include <string>

#include "core/analysis/chart.h"

namespace qaq {

/// The chart of an experiment's document (NAME.json of `qaq experiment`), its points taken from the
/// document's tables. A row without one of a series' numbers gives no point. Throws Error{input}
/// with the place where the document is none, has no chart, or its chart names what is not there.
Chart read_experiment_chart(const std::string& path);

}  // namespace qaq
