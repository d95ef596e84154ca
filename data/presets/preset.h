#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/parameters.h"

namespace qaq {

/// Names of the bundled presets (the JSON files of data/presets, compiled in).
std::vector<std::string> preset_names();

/// Reads a preset: a bundled name, or a file
///   {"format": "qaq-preset", "version": 1, "policy": "qaq", "set": {"key.level": "head", ...}}
/// Returns its assignments in order. Throws Error{input} for a file that is no preset.
std::vector<std::pair<std::string, ParameterValue>> read_preset(const std::string& name_or_path);

/// Sets what the preset sets. A parameter that does not exist or a value out of range is the
/// file's fault: Error{input} with the nearest name.
template <class P>
void apply_preset(const std::string& name_or_path, P& params) {
  for (const auto& [name, value] : read_preset(name_or_path)) {
    try {
      set_parameter(params, name, value);
    } catch (const Error& error) {
      ErrorText text = error.text();
      text.file = name_or_path;
      text.place = "set/" + text.place;
      refuse_input(std::move(text));
    }
  }
}

/// What `--preset` and the `--set`s behind it mean: the preset (none where empty), then the
/// assignments in order, on top of the defaults.
template <class P>
P params_from(const std::string& preset, const std::vector<std::string>& assignments) {
  P params;
  if (!preset.empty()) apply_preset(preset, params);
  for (const std::string& assignment : assignments) apply_assignment(params, assignment);
  return params;
}

/// Calls `check`, which refuses parameters that contradict each other. Where nothing was set behind
/// the preset that is the file's fault, too: Error{input}.
template <class Check>
void check_params_from(const std::string& preset, const std::vector<std::string>& assignments,
                       const Check& check) {
  try {
    check();
  } catch (const Error& error) {
    if (preset.empty() || !assignments.empty() || error.kind() != ErrorKind::usage) throw;
    ErrorText text = error.text();
    text.file = preset;
    text.place = "set/" + text.place;
    refuse_input(std::move(text));
  }
}

}  // namespace qaq
