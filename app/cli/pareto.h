#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "data/results/result_record.h"

namespace qaq::cli {

/// The runs of which no other loses less in less, tightest last: packed compression against the
/// mean KL of tasks, the output's error of captures, or what all of them have: the mean error of
/// keys and values.
nlohmann::ordered_json pareto_json(std::span<const ResultRecord> records);
void print_pareto(std::span<const ResultRecord> records);

}  // namespace qaq::cli
