#include "views/plots/outlier_marks.h"

#include <QSet>
#include <algorithm>
#include <cmath>

namespace qaq::views {
namespace {

constexpr double kMostCover = 0.2;  // of the plot

}  // namespace

void OutlierMarks::draw(QCPPainter* painter) {
  const CellFrame cells = frame();
  const QRectF sight = cells.plot().adjusted(-4, -4, 4, 4);
  QSet<QPair<int, int>> places;  // several on one pixel look like one
  for (const SliceMaps::Cell& cell : m_cells) {
    const QPointF centre = cells.cell(cell.row, cell.column).center();
    if (!sight.contains(centre)) continue;
    places.insert(
        {static_cast<int>(std::floor(centre.x())), static_cast<int>(std::floor(centre.y()))});
  }
  const double room = std::min(cells.cellWidth(), cells.cellHeight());
  int inside = std::clamp(static_cast<int>(room) - 2, 3, 7);
  // Where marks would bury the map they shrink, to 3 px with their rim.
  const double covered = static_cast<double>(places.size()) * (inside + 2) * (inside + 2);
  if (covered > kMostCover * cells.plot().width() * cells.plot().height()) inside = 1;
  const QColor rim(0x14, 0x18, 0x1D);
  for (const auto& [x, y] : places) {
    const QRect white(x - inside / 2, y - inside / 2, inside, inside);
    painter->fillRect(white.adjusted(-1, -1, 1, 1), rim);
  }
  // Over all rims, so that no mark hides its neighbour.
  for (const auto& [x, y] : places) {
    painter->fillRect(QRect(x - inside / 2, y - inside / 2, inside, inside), Qt::white);
  }
}

}  // namespace qaq::views
