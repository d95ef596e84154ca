#pragma once

#include <string>
#include <vector>

#include "core/analysis/experiment.h"
#include "core/analysis/risk.h"

namespace qaq {

/// How a statistic warned: its map over layers and heads beside the map of the damage, both with
/// the riskiest heads ringed; one against the other; every statistic's rank correlation.
struct RiskFigure {
  std::string title;  ///< one line
  std::vector<ExperimentTable> tables;
  Chart chart;
};

/// Of a statistic and of the damage that was added last. `n_layers` are the model's, of which not
/// all need be captured. Throws as Risk::ranked_by().
RiskFigure risk_figure(const Risk& risk, std::size_t statistic, std::int64_t n_layers);

}  // namespace qaq
