#include "data/results/result_record.h"

#include "core/base/error.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

ParameterValue plain_value(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  return json.is_string() ? json.get<std::string>() : json.dump();
}

void set_quantizer(QaqParams& params, const std::string& side, const Json& json,
                   const std::string& file, const std::string& place) {
  for (const auto& [key, value] : json.items()) {
    if (key == "key_or_value_cache" || value.is_null()) continue;
    const std::string name = side + "." + name_of_authors(key);
    try {
      set_parameter(params, name, plain_value(value));
    } catch (const Error& error) {
      refuse_input({.file = file,
                    .place = place + "/" + key,
                    .what = error.text().what,
                    .cure = error.text().cure});
    }
  }
}

}  // namespace

std::string ResultRecord::hash() const {
  return qaq_scope.is_object() ? qaq_scope.value("hash", "") : "";
}

QaqParams params_of_authors(const Json& params, const std::string& file, const std::string& place) {
  QaqParams out;
  for (const std::string side : {"key", "value"}) {
    const std::string name = side + "_quantizer";
    if (!params.is_object() || !params.contains(name) || !params[name].is_object()) {
      refuse_input(
          {.file = file,
           .place = place + "/" + name,
           .what = "is missing",
           .cure = "name a results file of `qaq sweep`, `qaq evaluate` or of the authors"});
    }
    set_quantizer(out, side, params[name], file, place + "/" + name);
  }
  return out;
}

Json authors_results(const Json& metrics) {
  Json out;
  for (const char* name :
       {"accuracy", "accuracy_confidence", "answer_log_probability", "quantization_error",
        "key_quantization_error", "value_quantization_error", "attention_error", "logit_error",
        "average_n_bits", "key_average_n_bits", "value_average_n_bits", "average_size",
        "key_average_size", "value_average_size"}) {
    out[name] = metrics.value(name, Json());
  }
  return out;
}

Json to_json(const ResultRecord& record) {
  Json out{{"params", record.params}, {"results", record.results}};
  if (!record.qaq_scope.is_null()) out["qaq_scope"] = record.qaq_scope;
  return out;
}

}  // namespace qaq
