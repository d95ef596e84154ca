#pragma once

#include <qcustomplot.h>

#include "core/analysis/chart.h"

namespace qaq::views {

/// What the axes of a panel have to span, with a margin beside it.
struct ChartRanges {
  QCPRange x, y;
};
/// Of the points that can be drawn, the lines of reference and the limits that the axes give.
/// Nothing where there is no point to draw.
std::optional<ChartRanges> rangesOf(const ChartPanel& panel);

/// Whether the point has a place on the panel's axes: zero has none on a logarithmic one,
/// apart from an empty bin of a histogram.
bool canBeDrawn(const ChartPoint& point, const ChartSeries& series, const ChartPanel& panel);

}  // namespace qaq::views
