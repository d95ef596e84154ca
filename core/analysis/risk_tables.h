#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/analysis/risk.h"
#include "core/analysis/table.h"

namespace qaq {

/// The statistics of a damage by |rho|, unknown ones last.
std::vector<std::size_t> strongest_first(
    const std::vector<std::optional<RankCorrelation>>& correlations);

/// A row a KV head, the riskiest by `statistic` first: rank from 1, layer of the model, KV head,
/// all statistics and damages. Throws as Risk::ranked_by().
Table risk_table(const Risk& risk, std::size_t statistic);

/// A row a damage and statistic, the largest |rho| of a damage first: rho, its 95 % interval and
/// verdict_on() it.
Table risk_correlation_table(const Risk& risk);

/// Both, with the formulas of statistics: {"prefix", "in_sample", "by", "statistics", "damages",
/// "heads", "correlations"}; null where something is not known.
nlohmann::ordered_json risk_json(const Risk& risk, std::size_t statistic);

}  // namespace qaq
