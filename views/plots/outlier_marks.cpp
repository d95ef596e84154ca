#include "views/plots/outlier_marks.h"

#include <QSet>
#include <algorithm>
#include <cmath>

namespace qaq::views {

void OutlierMarks::draw(QCPPainter* painter) {
  const CellFrame cells = frame();
  const double room = std::min(cells.cellWidth(), cells.cellHeight());
  const int inside = std::clamp(static_cast<int>(room) - 2, 3, 7);
  const QColor rim(0x14, 0x18, 0x1D);
  const QRectF sight = cells.plot().adjusted(-4, -4, 4, 4);
  QSet<QPair<int, int>> drawn;  // several on one pixel look like one
  for (const SliceMaps::Cell& cell : m_cells) {
    const QPointF centre = cells.cell(cell.row, cell.column).center();
    if (!sight.contains(centre)) continue;
    const QPair<int, int> at(static_cast<int>(std::floor(centre.x())),
                             static_cast<int>(std::floor(centre.y())));
    if (drawn.contains(at)) continue;
    drawn.insert(at);
    const QRect white(at.first - inside / 2, at.second - inside / 2, inside, inside);
    painter->fillRect(white.adjusted(-1, -1, 1, 1), rim);
    painter->fillRect(white, Qt::white);
  }
}

}  // namespace qaq::views
