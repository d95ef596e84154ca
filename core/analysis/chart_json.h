#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/analysis/chart.h"

namespace qaq {

/// A chart whose series name their columns, as an experiment's document holds it: {"columns",
/// "panels": [{"title", "x", "y", "series": [{"name", "mark", "style", "open", "table", ...}],
/// "lines"}], "notes"}. What has its default is left out. data/results/experiment_file.h reads it.
nlohmann::ordered_json chart_json(const Chart& chart);

}  // namespace qaq
