#include "data/presets/preset.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/text.h"
#include "data/presets/bundled.h"

namespace qaq {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& file, const std::string& place, const std::string& what,
                         const std::string& cure) {
  refuse_input({.file = file, .place = place, .what = what, .cure = cure});
}

std::string text_of(const std::string& name_or_path) {
  for (const BundledPreset& preset : bundled_presets()) {
    if (preset.name == name_or_path) return std::string(preset.text);
  }
  std::ifstream file(name_or_path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) {
    std::string names;
    for (const std::string& name : preset_names()) names += (names.empty() ? "" : ", ") + name;
    refuse(name_or_path, "", "is neither a bundled preset nor a readable file",
           "choose " + names + ", or give a preset file");
  }
  return std::move(text).str();
}

Json parse(const std::string& file, const std::string& text) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    refuse(file, cat("byte ", error.byte), "is not valid JSON", "mend the file at that byte");
  }
}

ParameterValue value_of(const std::string& file, const std::string& name, const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  refuse(file, "set/" + name, "is no single value", "give a number, a truth value or a name");
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const BundledPreset& preset : bundled_presets()) names.emplace_back(preset.name);
  return names;
}

std::vector<std::pair<std::string, ParameterValue>> read_preset(const std::string& name_or_path) {
  const Json json = parse(name_or_path, text_of(name_or_path));
  if (!json.is_object()) refuse(name_or_path, "", "is no JSON object", "write a qaq-preset");
  for (const auto& [key, value] : json.items()) {
    if (key == "format" || key == "version" || key == "policy" || key == "set") continue;
    const auto nearest = nearest_name(key, {"format", "version", "policy", "set"});
    refuse(name_or_path, key, "is no key of a preset",
           nearest ? cat("did you mean ", *nearest, "?")
                   : "a preset has format, version, policy, set");
  }
  if (json.value("format", Json()) != "qaq-preset") {
    refuse(name_or_path, "format", "is not \"qaq-preset\"", "write \"format\": \"qaq-preset\"");
  }
  if (json.value("version", Json()) != 1) {
    refuse(name_or_path, "version",
           cat("version ", json.value("version", Json()).dump(), " is not known"),
           "this program reads version 1; a newer file needs a newer program");
  }
  if (json.value("policy", Json("qaq")) != "qaq") {
    refuse(name_or_path, "policy", "names no policy of this program", "use \"policy\": \"qaq\"");
  }
  const Json set = json.value("set", Json::object());
  if (!set.is_object()) refuse(name_or_path, "set", "is no JSON object", "write \"set\": {...}");
  std::vector<std::pair<std::string, ParameterValue>> out;
  for (const auto& [name, value] : set.items()) {
    out.emplace_back(name, value_of(name_or_path, name, value));
  }
  return out;
}

}  // namespace qaq
