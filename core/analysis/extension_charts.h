#pragma once

#include <span>
#include <string>

#include "core/analysis/chart.h"
#include "core/analysis/table.h"

namespace qaq {

/// Output errors of `methods` (in the main table, `settings`) over packed bytes, the first being
/// plain QAQ, and those of the others over its error at equal bytes.
Chart extension_chart(const Table& settings, std::span<const std::string> methods);

}  // namespace qaq
