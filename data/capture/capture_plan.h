#pragma once

#include <vector>

#include "data/capture/capture_layout.h"
#include "data/capture/capture_writer.h"
#include "data/capture/row_dataset.h"

namespace qaq {

/// Throws Error{usage} where a plan contradicts itself.
void validate(const CapturePlan& plan);

/// Whether attention rows are stored, and with them the statistics of attention.
bool has_scores(const CapturePlan& plan);

/// Positions of rows of attention before this one end up in the statistics alone, whenever the run
/// ends.
std::int64_t first_whole_row(const CapturePlan& plan);

/// The datasets of activations that the plan asks for: keys, values, queries, scores, in this order
/// and those that it leaves out left out.
std::vector<RowPlan> row_plans(const CapturePlan& plan);

}  // namespace qaq
