#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/progress.h"

namespace qaq {

/// Runs a program (found on PATH; no shell) and waits for it; its output goes to `log`. Returns its
/// exit status, 128 + n after signal n. Throws Error{work} where it cannot be started, and
/// Error{interrupted} after ending it when a stop is requested.
int run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                const Work& work);

}  // namespace qaq
