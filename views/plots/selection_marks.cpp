#include "views/plots/selection_marks.h"

#include <algorithm>
#include <cmath>

namespace qaq::views {
namespace {

constexpr Px<double> kBar{3};     // px high
constexpr int kVeil = 215;        // of 255
constexpr int kMostFrames = 400;  // more would bury the map

}  // namespace

QRectF SelectionMarks::rectOf(const CellBlock& block) const {
  const CellFrame cells = frame();
  const QRectF plot = cells.plot();
  const double left = cells.x(block.firstColumn), right = cells.x(block.lastColumn + 1);
  const bool whole = block.firstRow == CellBlock::kAllRows;
  const double top = whole ? plot.top() : cells.y(block.firstRow);
  const double bottom = whole ? plot.bottom() : cells.y(block.lastRow + 1);
  return {QPointF(std::floor(left), std::floor(top)), QPointF(std::ceil(right), std::ceil(bottom))};
}

void SelectionMarks::drawBars(QCPPainter* painter, const QRectF& columns) const {
  const QRectF plot = frame().plot();
  painter->setPen(Qt::NoPen);
  for (const double y : {plot.top(), plot.bottom() - kBar}) {
    const QRectF bar(columns.left(), y, std::max(columns.width(), 2.0), kBar);
    painter->fillRect(bar.adjusted(-1, -1, 1, 1), theme().halo);
    painter->fillRect(bar, theme().accent);
  }
}

void SelectionMarks::draw(QCPPainter* painter) {
  painter->setAntialiasing(false);
  const QRectF plot = frame().plot();
  QColor veil = theme().surface;
  veil.setAlpha(kVeil);
  for (const CellBlock& block : m_veiled) {
    painter->fillRect(rectOf(block).intersected(plot), veil);
  }
  int frames = 0;
  for (const CellBlock& block : m_selected) {
    const QRectF box = rectOf(block);
    if (!box.intersects(plot)) continue;
    if (block.firstRow == CellBlock::kAllRows) {
      drawBars(painter, box);
    } else if (++frames <= kMostFrames) {
      drawBox(painter, box.toAlignedRect().adjusted(0, 0, -1, -1), theme().accent, 1);
    }
  }
}

}  // namespace qaq::views
