#pragma once

#include <nlohmann/json_fwd.hpp>

#include "core/replay/replay_result.h"

namespace qaq {

/// The single numbers of a replay, exactly, so that a stored run gives the ReplayResult back:
/// attribute @totals_json of a run, beside @metrics_json, which speaks the authors' names.
nlohmann::ordered_json totals_json(const ReplayResult& result);

/// Sets them from JSON. Throws nlohmann::json::exception where one is missing or no number.
void set_totals(ReplayResult& result, const nlohmann::ordered_json& totals);

}  // namespace qaq
