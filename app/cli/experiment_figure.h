#pragma once

#include <string>

#include "app/cli/console.h"
#include "core/base/progress.h"

namespace qaq::cli {

/// Has the qaq-scope in this program's folder draw an experiment's document as a picture. Where
/// there is none or it fails, notes why, and the command that draws it later, and returns false.
/// Throws Error{interrupted}.
bool draw_experiment(const std::string& document, const std::string& picture,
                     ConsoleProgress& progress, const Work& work);

}  // namespace qaq::cli
