#include "views/plots/cell_frame.h"

#include <qcustomplot.h>

namespace qaq::views {

CellFrame::CellFrame(const QCPAxisRect& axes) : m_plot(axes.rect()) {
  const QCPRange columns = axes.axis(QCPAxis::atBottom)->range();
  const QCPRange rows = axes.axis(QCPAxis::atLeft)->range();
  m_area = {.left = columns.lower + 0.5,
            .top = rows.lower + 0.5,
            .right = columns.upper + 0.5,
            .bottom = rows.upper + 0.5};
}

QRectF CellFrame::cells(const CellRect& cells) const {
  return QRectF(QPointF(x(cells.left), y(cells.top)), QPointF(x(cells.right), y(cells.bottom)));
}

QRectF CellFrame::cell(std::int64_t row, std::int64_t column) const {
  const auto r = static_cast<double>(row), c = static_cast<double>(column);
  return cells({.left = c, .top = r, .right = c + 1, .bottom = r + 1});
}

}  // namespace qaq::views
