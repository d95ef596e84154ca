#pragma once

#include <QPainter>

#include "views/plots/theme.h"

namespace qaq::views {

/// Whether a pixel of a map's picture, `stroke` px thick, lies on one of the crosses that mark
/// evicted cells: crosses of 5, one in 7 each way.
bool isOnCross(int x, int y, int stroke);

/// Fills a box as an evicted cell is drawn: crosses on a ground beyond the least bits, from its
/// left to its right.
void drawEvicted(QPainter* painter, const QRectF& box, const Theme& theme);

}  // namespace qaq::views
