#pragma once

#include <CLI/CLI.hpp>

namespace qaq::cli {

/// --prune-weights, for every command that runs a model.
CLI::Option* add_prune_flag(CLI::App& command, double& share);

}  // namespace qaq::cli
