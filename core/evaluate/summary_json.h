#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/evaluate/summary.h"

namespace qaq {

/// The metrics under the authors' names in the authors' order, then ours.
nlohmann::ordered_json summary_json(const SettingSummary& summary);
nlohmann::ordered_json accuracy_json(const std::optional<Accuracy>& accuracy);
nlohmann::ordered_json paired_json(const PairedTest& test);

}  // namespace qaq
