#include "data/presets/settings_file.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& file, const std::string& place, const std::string& what,
                         const std::string& cure) {
  refuse_input({.file = file, .place = place, .what = what, .cure = cure});
}

}  // namespace

Json parse_settings(const std::string& file, const std::string& text,
                    const SettingsFormat& format) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    refuse(file, cat("byte ", error.byte), "is not valid JSON", "mend the file at that byte");
  } catch (const Json::out_of_range&) {
    refuse(file, "", "has a number that is too large for any", "mend it");
  }
  if (!json.is_object()) refuse(file, "", "is no JSON object", "write a " + format.format);
  std::vector<std::string> known{"format", "version", "policy"};
  known.insert(known.end(), format.keys.begin(), format.keys.end());
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    std::string names;
    for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
    const auto nearest = nearest_name(key, known);
    refuse(file, key, "is no key of " + format.what,
           nearest ? cat("did you mean ", *nearest, "?") : cat(format.what, " has ", names));
  }
  if (json.value("format", Json()) != format.format) {
    refuse(file, "format", cat("is not \"", format.format, "\""),
           cat("write \"format\": \"", format.format, "\""));
  }
  if (json.value("version", Json()) != 1) {
    refuse(file, "version", cat("version ", json.value("version", Json()).dump(), " is not known"),
           "this program reads version 1; a newer file needs a newer program");
  }
  const Json policy = json.value("policy", Json("qaq"));
  if (!policy.is_string() || (policy != "qaq" && !format.any_policy)) {
    refuse(file, "policy", "names no policy of this program", "use \"policy\": \"qaq\"");
  }
  return json;
}

ParameterValue settings_value(const std::string& file, const std::string& place, const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  refuse(file, place, "is no single value", "give a number, a truth value or a name");
}

}  // namespace qaq
