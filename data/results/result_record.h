#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "core/policy/authors_names.h"

namespace qaq {

/// One run of a results file.
struct ResultRecord {
  nlohmann::ordered_json params;   ///< the authors': version, model, dataset, both quantizers
  nlohmann::ordered_json results;  ///< the authors' names; null where it was not measured
  /// Ours: "hash", "capture" or "task", "parameters", "metrics", ...; null in the authors' files.
  nlohmann::ordered_json qaq_scope;

  /// What tells runs apart; empty in the authors' files.
  std::string hash() const;
};

/// The parameters that the authors' "params" stand for, on top of the defaults. Throws Error{input}
/// with the place (below `place`) for a value that no parameter takes.
QaqParams params_of_authors(const nlohmann::ordered_json& params, const std::string& file,
                            const std::string& place);

/// The authors' "results": those of `metrics` (metrics_json()) that they have a name for, in their
/// order.
nlohmann::ordered_json authors_results(const nlohmann::ordered_json& metrics);

nlohmann::ordered_json to_json(const ResultRecord& record);

}  // namespace qaq
