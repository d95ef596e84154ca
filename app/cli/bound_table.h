#pragma once

#include "core/replay/bound_check.h"

namespace qaq::cli {

/// Prints what `qaq replay --check-bound` found: a block for each promise, with its worst heads.
void print_bound_table(const BoundCheck& check);

}  // namespace qaq::cli
