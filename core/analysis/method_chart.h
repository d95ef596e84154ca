#pragma once

#include <span>
#include <string>

#include "core/analysis/chart.h"
#include "core/analysis/table.h"

namespace qaq {

/// Methods of method_tables() at their budgets: `loss` (a column of both tables) against the packed
/// ratio with the front of all of them and, where it is there, accuracy with its intervals.
/// `methods` is the main table, `front` the table "front".
Chart method_chart(const Table& methods, const Table& front, std::span<const std::string> names,
                   const std::string& loss);

}  // namespace qaq
