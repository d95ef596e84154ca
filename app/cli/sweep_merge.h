#pragma once

#include "app/cli/command.h"

namespace qaq::cli {

/// `qaq sweep merge`: joins the results files of shards.
void add_sweep_merge(CLI::App& sweep, const CommonOptions& common);

}  // namespace qaq::cli
