#include "core/policy/authors_names.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/version.h"
#include "core/policy/policies.h"
#include "core/policy/qaq_policy.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

Json quantizer(const Json& all, const std::string& side) {
  const auto value = [&](const std::string& name) { return all.at(side + "." + name); };
  Json out{{"key_or_value_cache", side}, {"level", value("level")}};
  if (out["level"] == "no-quantization") return out;
  std::vector<std::string> names{"symmetric", "method", "outliers_ratio", "use_attentions"};
  if (value("use_attentions") == true) {
    names.insert(names.end(),
                 {"n_bits_min", "n_bits_max", "last_n_attentions", "target_quantization_error"});
    if (side == "key") names.emplace_back("q_norm");
  } else {
    names.emplace_back("n_bits_uniform");
  }
  for (const std::string& name : names) out[authors_name(name)] = value(name);
  return out;
}

}  // namespace

std::string authors_name(const std::string& name) {
  return name == "method" ? "method_name" : name;
}

std::string name_of_authors(const std::string& name) {
  return name == "method_name" ? "method" : name;
}

Json authors_params(const QaqParams& params, const RunSubject& subject) {
  return authors_params(QaqPolicy(params), subject);
}

Json authors_params(const CachePolicy& policy, const RunSubject& subject) {
  const Json all = parameters_json(policy.parameters());
  const auto of = [&](const char* side) { return is_qaq(policy) ? quantizer(all, side) : Json(); };
  return {{"version", program_version()},         {"model_name", subject.model_name},
          {"dataset_name", subject.dataset_name}, {"question_count", subject.question_count},
          {"key_quantizer", of("key")},           {"value_quantizer", of("value")}};
}

}  // namespace qaq
