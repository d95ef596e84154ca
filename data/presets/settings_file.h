#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/parameters.h"

namespace qaq {

/// A kind of JSON file that users write: {"format": FORMAT, "version": 1, "policy": "qaq",
/// KEYS...}.
struct SettingsFormat {
  std::string format;             ///< "qaq-preset"
  std::string what;               ///< "a preset"
  std::vector<std::string> keys;  ///< beside format, version and policy
  bool any_policy = false;        ///< of any policy, not of QAQ alone
};

/// Parses such a file. Throws Error{input} that names the file and the place: no JSON, a key that
/// the format does not have (with the nearest), another format, version or policy.
nlohmann::ordered_json parse_settings(const std::string& file, const std::string& text,
                                      const SettingsFormat& format);

/// A single value. Throws Error{input} for lists and objects.
ParameterValue settings_value(const std::string& file, const std::string& place,
                              const nlohmann::ordered_json& json);

}  // namespace qaq
