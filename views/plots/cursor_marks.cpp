#include "views/plots/cursor_marks.h"

#include <algorithm>
#include <cmath>

namespace qaq::views {

void CursorMarks::drawCross(QCPPainter* painter, const MarkedCell& cell,
                            const QColor& color) const {
  const CellFrame cells = frame();
  const QRectF plot = cells.plot();
  if (cell.column) {
    const double x = std::floor(cells.x(static_cast<double>(*cell.column) + 0.5));
    drawLine(painter, QLineF(x, plot.top(), x, plot.bottom()), color);
  }
  if (cell.row) {
    const double y = std::floor(cells.y(static_cast<double>(*cell.row) + 0.5));
    drawLine(painter, QLineF(plot.left(), y, plot.right(), y), color);
  }
}

void CursorMarks::draw(QCPPainter* painter) {
  drawCross(painter, m_hovered, theme().text);
  drawCross(painter, m_locked, theme().accent);
  if (!m_locked.row || !m_locked.column) return;
  QRectF box = frame().cell(*m_locked.row, *m_locked.column);
  // Small cells get a box that is seen; it stands around them.
  const double grow_x = std::max(0.0, (9 - box.width()) / 2),
               grow_y = std::max(0.0, (7 - box.height()) / 2);
  box.adjust(-grow_x, -grow_y, grow_x, grow_y);
  drawBox(painter, box.toAlignedRect(), theme().accent, 2);
}

}  // namespace qaq::views
