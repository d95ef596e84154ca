#include "views/plots/plot_overlay.h"

namespace qaq::views {

PlotOverlay::PlotOverlay(QCPAxisRect* axes, const QString& layer)
    : QCPLayerable(axes->parentPlot(), layer), m_axes(axes) {
  // A chart that is built anew has other axes, and may be drawn before its view marks them again.
  connect(axes, &QObject::destroyed, this, [this] { delete this; });
}

void PlotOverlay::applyDefaultAntialiasingHint(QCPPainter* painter) const {
  painter->setAntialiasing(false);
}

void PlotOverlay::drawLine(QCPPainter* painter, const QLineF& line, const QColor& color) const {
  painter->setAntialiasing(false);
  painter->setPen(QPen(m_theme.halo, px(3)));
  painter->drawLine(line);
  painter->setPen(QPen(color, px(1)));
  painter->drawLine(line);
}

void PlotOverlay::drawBox(QCPPainter* painter, const QRectF& box, const QColor& color,
                          double width) const {
  painter->setAntialiasing(false);
  painter->setBrush(Qt::NoBrush);
  QPen halo(m_theme.halo, px(width + 2));
  halo.setJoinStyle(Qt::MiterJoin);
  painter->setPen(halo);
  painter->drawRect(box);
  QPen pen(color, px(width));
  pen.setJoinStyle(Qt::MiterJoin);
  painter->setPen(pen);
  painter->drawRect(box);
}

}  // namespace qaq::views
