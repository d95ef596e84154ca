#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/analysis/scope_params.h"
#include "core/base/error.h"
#include "core/base/parameters.h"

namespace qaq {

/// Names of the bundled presets (the JSON files of data/presets, compiled in).
std::vector<std::string> preset_names();

struct Preset {
  std::string policy = "qaq";
  std::vector<std::pair<std::string, ParameterValue>> set;  ///< its assignments, in order
};

/// Reads a preset: a bundled name, or a file
///   {"format": "qaq-preset", "version": 1, "policy": "qaq", "set": {"key.level": "head", ...}}
/// Throws Error{input} for a file that is no preset.
Preset read_any_preset(const std::string& name_or_path);
/// The assignments of a preset of QAQ. Throws Error{input} for one of another policy, too.
std::vector<std::pair<std::string, ParameterValue>> read_preset(const std::string& name_or_path);

/// Sets what is set in a preset. A parameter that does not exist or a value out of range is the
/// file's fault: Error{input} with the nearest name.
template <class P>
void apply_set(const std::string& name_or_path,
               const std::vector<std::pair<std::string, ParameterValue>>& set, P& params) {
  for (const auto& [name, value] : set) {
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

/// Sets what a preset of QAQ sets.
template <class P>
void apply_preset(const std::string& name_or_path, P& params) {
  apply_set(name_or_path, read_preset(name_or_path), params);
}
/// The policy becomes the preset's, but for what evicts where that is what quantizes already.
void apply_preset(const std::string& name_or_path, ScopeParams& params);

/// What `--preset` and the `--set`s behind it mean: the preset (none where empty), then the
/// assignments in order, on top of the defaults.
template <class P>
P params_from(const std::string& preset, const std::vector<std::string>& assignments) {
  P params;
  if (!preset.empty()) apply_preset(preset, params);
  for (const std::string& assignment : assignments) apply_assignment(params, assignment);
  return params;
}

/// What `--policy`, `--preset` and the `--set`s mean together: the policy is the one that is named,
/// else the preset's, else QAQ. Throws Error{usage} where they do not go together or make no sense.
ScopeParams scope_params_from(const std::string& policy, const std::string& preset,
                              const std::vector<std::string>& assignments);

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
