#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/chart.h"
#include "core/analysis/lesson_numbers.h"

namespace qaq {

/// The chart that a step of a lesson names: what was measured for it, beside the paper's points
/// where the paper prints any. Throws Error{input}: there is no such chart (with the nearest), or a
/// run that it shows is not at hand.
Chart lesson_chart(std::string_view name, const LessonData& data);

std::vector<std::string> lesson_chart_names();

}  // namespace qaq
