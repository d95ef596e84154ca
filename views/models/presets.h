#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/analysis/scope_params.h"

namespace qaq::views {

/// Settings with a name; given by the program, because file formats are not known here.
struct Presets {
  std::vector<std::string> names{};  ///< of the bundled ones
  /// Sets what a preset, a bundled one or a file, sets. Throws Error.
  std::function<void(const std::string& nameOrPath, ScopeParams& params)> apply{};
};

}  // namespace qaq::views
