#pragma once

#include <QPainter>

#include "core/analysis/heatmap.h"
#include "views/plots/cell_frame.h"
#include "views/plots/color_map.h"

namespace qaq::views {

/// Where cells are at least 16 px high and wide: a grid of color `grid` around values, and in each
/// its number, in as many digits (3 at most) as the cell has room for. Needs no thread in
/// particular.
void drawCellTexts(QPainter* painter, const Heatmap& map, const ColorMap& colors, QRgb grid,
                   const CellFrame& frame);

}  // namespace qaq::views
