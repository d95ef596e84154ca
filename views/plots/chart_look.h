#pragma once

#include <qcustomplot.h>

#include "core/analysis/chart.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// How a series looks, on the plot and in the legend.
struct ChartLook {
  QPen line{Qt::NoPen};
  QCPScatterStyle sign{QCPScatterStyle::ssNone};
  QBrush fill{Qt::NoBrush};
};

ChartLook lookOf(const ChartSeries& series, const Theme& theme);
/// Of lines of reference.
QPen linePen(const Theme& theme);

}  // namespace qaq::views
