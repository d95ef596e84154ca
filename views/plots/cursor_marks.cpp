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

void drawDiamond(QPainter* painter, const QPointF& centre, const Theme& theme) {
  constexpr double kHalf = 6;
  const QPolygonF diamond({centre + QPointF(0, -kHalf), centre + QPointF(kHalf, 0),
                           centre + QPointF(0, kHalf), centre + QPointF(-kHalf, 0)});
  painter->setRenderHint(QPainter::Antialiasing);
  painter->setBrush(Qt::NoBrush);
  painter->setPen(QPen(theme.halo, px(4)));
  painter->drawPolygon(diamond);
  painter->setPen(QPen(theme.accent, px(2)));
  painter->drawPolygon(diamond);
}

void CursorMarks::drawPin(QCPPainter* painter) const {
  if (!m_pinned.column) return;
  const CellFrame cells = frame();
  const double x = cells.x(static_cast<double>(*m_pinned.column) + 0.5);
  const double y =
      m_pinned.row ? cells.y(static_cast<double>(*m_pinned.row) + 0.5) : cells.plot().top() + 8;
  if (!cells.plot().contains(QPointF(x, y))) return;
  painter->setAntialiasing(true);
  drawDiamond(painter, {x, y}, theme());
  painter->setAntialiasing(false);
}

void CursorMarks::draw(QCPPainter* painter) {
  drawPin(painter);
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
