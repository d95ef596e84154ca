#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/evaluate/summary.h"
#include "core/policy/authors_names.h"

namespace qaq {

/// The metrics under the authors' names in the authors' order, then ours.
nlohmann::ordered_json summary_json(const SettingSummary& summary);
nlohmann::ordered_json accuracy_json(const std::optional<Accuracy>& accuracy);
nlohmann::ordered_json paired_json(const PairedTest& test);

/// One entry of the authors' results JSON (section 2.7).
nlohmann::ordered_json authors_entry(const QaqParams& params, const RunSubject& subject,
                                     const SettingSummary& summary);

}  // namespace qaq
