#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/policy/cache_policy.h"
#include "core/policy/qaq_params.h"

namespace qaq {

/// What a run was made on, in the words of the authors' results files (section 2.7 of the
/// mathematics).
struct RunSubject {
  std::string model_name;
  std::string dataset_name;
  std::int64_t question_count = 0;
};

/// The "params" of a run in the authors' results files: their names and order. A quantizer has
/// level, symmetric, method_name, outliers_ratio, use_attentions, then those that use_attentions
/// reads. What only this program has is left out.
nlohmann::ordered_json authors_params(const QaqParams& params, const RunSubject& subject);
/// The same of any policy; the quantizers of one that the authors do not have are null.
nlohmann::ordered_json authors_params(const CachePolicy& policy, const RunSubject& subject);

/// The authors' name of one of our parameters, and back.
std::string authors_name(const std::string& name);
std::string name_of_authors(const std::string& name);

}  // namespace qaq
