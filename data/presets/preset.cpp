#include "data/presets/preset.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/base/text.h"
#include "core/policy/policies.h"
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

Preset read_any_preset(const std::string& name_or_path) {
  const auto json = parse_settings(name_or_path, text_of(name_or_path),
                                   {"qaq-preset", "a preset", {"set"}, true});
  const auto set = json.value("set", nlohmann::ordered_json::object());
  if (!set.is_object()) {
    refuse_input({.file = name_or_path,
                  .place = "set",
                  .what = "is no JSON object",
                  .cure = "write \"set\": {...}"});
  }
  Preset out;
  out.policy = json.value("policy", out.policy);
  for (const auto& [name, value] : set.items()) {
    out.set.emplace_back(name, settings_value(name_or_path, "set/" + name, value));
  }
  return out;
}

std::vector<std::pair<std::string, ParameterValue>> read_preset(const std::string& name_or_path) {
  Preset preset = read_any_preset(name_or_path);
  if (preset.policy != "qaq") {
    refuse_input({.file = name_or_path,
                  .place = "policy",
                  .what = cat("is ", preset.policy, ", where parameters of qaq are asked for"),
                  .cure = "use \"policy\": \"qaq\""});
  }
  return std::move(preset.set);
}

void apply_preset(const std::string& name_or_path, ScopeParams& params) {
  const Preset preset = read_any_preset(name_or_path);
  try {
    const PolicyParts wanted = parts_of(preset.policy);
    const bool is_there =
        wanted.evicts.empty() && parts_of(params.policy).quantizes == wanted.quantizes;
    if (!is_there) set_policy(params, preset.policy);
  } catch (const Error& error) {
    refuse_input({.file = name_or_path,
                  .place = "policy",
                  .what = error.text().what,
                  .cure = error.text().cure});
  }
  apply_set(name_or_path, preset.set, params);
}

ScopeParams scope_params_from(const std::string& policy, const std::string& preset,
                              const std::vector<std::string>& assignments) {
  ScopeParams params;
  if (!policy.empty()) set_policy(params, policy);
  const std::string named = params.policy;
  if (!preset.empty()) apply_preset(preset, params);
  if (!policy.empty() && params.policy != named) {
    refuse_usage({.place = "--preset",
                  .what = cat("holds parameters of ", params.policy, ", not of ", named),
                  .cure = "leave it out, or give --set"});
  }
  for (const std::string& assignment : assignments) apply_assignment(params, assignment);
  check_params_from(preset, assignments, [&] { make_policy(params); });
  return params;
}

}  // namespace qaq
