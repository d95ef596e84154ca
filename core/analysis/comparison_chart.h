#pragma once

#include <array>
#include <string_view>

#include "core/analysis/alignment.h"
#include "core/analysis/chart.h"
#include "core/analysis/comparison.h"
#include "core/analysis/table.h"
#include "core/base/parameters.h"

namespace qaq {

/// What two runs lose, one line over the other: errors of outputs and of attention by step, of keys
/// and of values by layer.
enum class ComparedLines { output, attention, key, value };
template <>
struct ChoiceNames<ComparedLines> {
  static constexpr std::array<std::string_view, 4> names{"output", "attention", "key", "value"};
};

/// A as a solid line and B as a broken one, over what both hold; the same means as compare()'s
/// metrics are of. Both have a replay, and `alignment` of their captures allows it. Without points,
/// and with a note, where one of the two has no such errors.
Chart comparison_chart(const ComparedRun& a, const ComparedRun& b, const Alignment& alignment,
                       ComparedLines which);
/// A row a step or layer of such a chart: both errors, nothing where one is 0.
Table comparison_chart_table(const Chart& chart);

}  // namespace qaq
