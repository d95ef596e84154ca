#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "data/results/result_record.h"

namespace qaq::cli {

/// The runs of which no other loses less in less: packed compression against the output's error
/// (against the mean error of keys and values where outputs were not compared), tightest last.
nlohmann::ordered_json pareto_json(std::span<const ResultRecord> records);
void print_pareto(std::span<const ResultRecord> records);

}  // namespace qaq::cli
