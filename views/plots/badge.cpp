#include "views/plots/badge.h"

namespace qaq::views {

Badge::Badge(QCPAxisRect* axes, const QString& layer, const HeatmapPlottable* heatmap)
    : PlotOverlay(axes, layer), m_heatmap(heatmap) {}

void Badge::draw(QCPPainter* painter) {
  const QString text = m_heatmap->badge();
  if (text.isEmpty()) return;
  const QFont font = Theme::font(Theme::kTickPx);
  QRectF box(QPointF(), QFontMetricsF(font).size(0, text) + QSizeF(px(12), px(6)));
  box.moveTopRight(frame().plot().topRight() + QPointF(-6, 6));
  QColor back = theme().surface;
  back.setAlphaF(0.92f);
  painter->setPen(QPen(theme().border, px(1)));
  painter->setBrush(back);
  painter->drawRect(box.toAlignedRect());
  painter->setPen(theme().text);
  painter->setFont(font);
  painter->drawText(box, Qt::AlignCenter, text);
}

}  // namespace qaq::views
