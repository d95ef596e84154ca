#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/analysis/chart.h"
#include "core/analysis/table.h"
#include "core/replay/bound_check.h"

namespace qaq {

// Charts of promised errors (section 4.3 of the mathematics, step 4): promised against achieved,
// how many rows erred how many times the promise, and what bits it took.

/// Of the experiment: every rule at every target (`rules`, the main table) and the rows at one of
/// them (`ratios`, the table "ratios"), called `e`.
Chart bound_chart(const Table& rules, const Table& ratios, const std::string& e);

/// Of checks of one capture at rising targets, every head a point. `shown`: the check whose rows
/// make the histogram.
Chart bound_chart(std::span<const std::shared_ptr<const BoundCheck>> checks, std::size_t shown);

}  // namespace qaq
