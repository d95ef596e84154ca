#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "core/evaluate/summary.h"
#include "core/policy/qaq_params.h"

namespace qaq {

/// The metrics under the authors' names in the authors' order, then ours.
nlohmann::ordered_json summary_json(const SettingSummary& summary);
nlohmann::ordered_json accuracy_json(const std::optional<Accuracy>& accuracy);
nlohmann::ordered_json paired_json(const PairedTest& test);

/// What the authors' results say about a run.
struct AuthorsParams {
  std::string version;
  std::string model_name;
  std::string dataset_name;
  std::int64_t question_count = 0;
  QaqParams params;
};
/// One entry of the authors' results JSON (section 2.7).
nlohmann::ordered_json authors_entry(const AuthorsParams& params, const SettingSummary& summary);

}  // namespace qaq
