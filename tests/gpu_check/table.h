#pragma once

#include <string>

#include "tests/gpu_check/report.h"

namespace qaq::gpu_check {

/// name  shape  time  bytes  GB/s  % of datasheet  % of measured copy  goal  ok
///
/// Comparisons of a group that passed are one line, that of the one nearest to its bound; what
/// failed has a line of its own. The last line begins with PASS or FAIL.
std::string table_text(const Report& report);

}  // namespace qaq::gpu_check
