#pragma once

#include <qcustomplot.h>

#include "core/analysis/chart.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// Puts a panel's axes, series and lines of reference onto an axis rect. `scale` is the colour
/// scale beside it where the panel has cells of heat, else null.
void fillPanel(QCPAxisRect* axes, QCPColorScale* scale, const ChartPanel& panel,
               const Theme& theme);

/// Points that have no place on their panel's logarithmic axes.
int undrawable(const Chart& chart);

}  // namespace qaq::views
