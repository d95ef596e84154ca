#pragma once

#include <qcustomplot.h>

#include "views/plots/cell_frame.h"
#include "views/plots/theme.h"

namespace qaq::views {

/// Something drawn over a map, on layer `layer` of the plot, clipped to the plot's frame. Every
/// mark on a map has a halo, so that it is seen on any colour. Goes with its axes: who keeps one
/// longer keeps it as a QPointer.
class PlotOverlay : public QCPLayerable {
  Q_OBJECT

 public:
  PlotOverlay(QCPAxisRect* axes, const QString& layer);

  void setTheme(const Theme& theme) { m_theme = theme; }

 protected:
  /// The plot, one pixel down: QCustomPlot shifts clip rectangles up by one, to fit its own axes.
  QRect clipRect() const override { return m_axes->rect().translated(0, 1); }
  void applyDefaultAntialiasingHint(QCPPainter* painter) const override;
  CellFrame frame() const { return CellFrame(*m_axes); }
  const Theme& theme() const { return m_theme; }
  /// 1 px of `color` with 1 px of halo on each side.
  void drawLine(QCPPainter* painter, const QLineF& line, const QColor& color) const;
  void drawBox(QCPPainter* painter, const QRectF& box, const QColor& color, double width) const;

 private:
  QCPAxisRect* m_axes;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
