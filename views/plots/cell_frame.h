#pragma once

#include <QPointF>
#include <QRectF>
#include <optional>

#include "core/analysis/heatmap.h"

class QCPAxisRect;

namespace qaq::views {

/// Where the cells of a map lie on the plot: column c covers [c - 0.5, c + 0.5] of the bottom axis
/// and row r the same of the left one, row 0 at the top. (QCPAxis::coordToPixel is one pixel off on
/// vertical axes, so that maps would lose their first row of pixels.)
class CellFrame {
 public:
  explicit CellFrame(const QCPAxisRect& axes);
  /// `area` of the map fills `plot`.
  CellFrame(const QRectF& plot, const CellRect& area) : m_plot(plot), m_area(area) {}

  const QRectF& plot() const { return m_plot; }
  /// The part of the map in sight.
  const CellRect& area() const { return m_area; }
  double cellWidth() const { return m_plot.width() / (m_area.right - m_area.left); }
  double cellHeight() const { return m_plot.height() / (m_area.bottom - m_area.top); }
  double x(double column) const { return m_plot.left() + (column - m_area.left) * cellWidth(); }
  double y(double row) const { return m_plot.top() + (row - m_area.top) * cellHeight(); }
  QRectF cells(const CellRect& cells) const;
  QRectF cell(std::int64_t row, std::int64_t column) const;
  double columnAt(double px) const { return m_area.left + (px - m_plot.left()) / cellWidth(); }
  double rowAt(double py) const { return m_area.top + (py - m_plot.top()) / cellHeight(); }

 private:
  QRectF m_plot;
  CellRect m_area;
};

}  // namespace qaq::views
