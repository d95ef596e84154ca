#include "data/presets/preset.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "data/files/whole_file.h"
#include "data/presets/bundled.h"
#include "data/presets/settings_file.h"

namespace qaq {
namespace {

std::string text_of(const std::string& name_or_path) {
  for (const BundledPreset& preset : bundled_presets()) {
    if (preset.name == name_or_path) return std::string(preset.text);
  }
  std::string names;
  for (const std::string& name : preset_names()) names += (names.empty() ? "" : ", ") + name;
  return read_whole(name_or_path, "is neither a bundled preset nor a readable file",
                    cat("choose ", names, ", or give a preset file"));
}

}  // namespace

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const BundledPreset& preset : bundled_presets()) names.emplace_back(preset.name);
  return names;
}

std::vector<std::pair<std::string, ParameterValue>> read_preset(const std::string& name_or_path) {
  const auto json =
      parse_settings(name_or_path, text_of(name_or_path), {"qaq-preset", "a preset", {"set"}});
  const auto set = json.value("set", nlohmann::ordered_json::object());
  if (!set.is_object()) {
    refuse_input({.file = name_or_path,
                  .place = "set",
                  .what = "is no JSON object",
                  .cure = "write \"set\": {...}"});
  }
  std::vector<std::pair<std::string, ParameterValue>> out;
  for (const auto& [name, value] : set.items()) {
    out.emplace_back(name, settings_value(name_or_path, "set/" + name, value));
  }
  return out;
}

}  // namespace qaq
