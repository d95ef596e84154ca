#pragma once

#include <CLI/CLI.hpp>

#include "app/wiring/generation.h"

namespace qaq::cli {

/// The flags that `run` and `capture` share.
void add_generation_flags(CLI::App& command, GenerationOptions& options);

}  // namespace qaq::cli
