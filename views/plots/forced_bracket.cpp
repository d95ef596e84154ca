#include "views/plots/forced_bracket.h"

#include <algorithm>
#include <cmath>

namespace qaq::views {

void ForcedBracket::setTokens(std::int64_t newest, std::int64_t prefix, std::int64_t nTokens) {
  m_newest = newest;
  m_prefix = prefix;
  m_tokens = nTokens;
}

QRect ForcedBracket::clipRect() const { return PlotOverlay::clipRect().adjusted(0, -18, 1, 0); }

void ForcedBracket::draw(QCPPainter* painter) {
  drawAfterPrefix(painter);
  if (m_newest <= 0) return;
  const CellFrame cells = frame();
  const QRectF plot = cells.plot();
  const double left =
      std::max(std::floor(cells.x(static_cast<double>(m_prefix - m_newest))), plot.left());
  const double right = std::min(std::floor(cells.x(static_cast<double>(m_prefix))), plot.right());
  if (right - left < 2) return;
  const double top = plot.top() - 5;
  painter->setPen(QPen(theme().muted, px(1)));
  painter->drawPolyline(QPolygonF({QPointF(left, plot.top() - 2), QPointF(left, top),
                                   QPointF(right, top), QPointF(right, plot.top() - 2)}));
  const QString text = tr("newest %1: n_bits_max by rule").arg(m_newest);
  const QFont font = Theme::font(Theme::kTickPx);
  const QFontMetricsF metrics(font);
  painter->setFont(font);
  const double width = metrics.horizontalAdvance(text);
  if (width + 6 < left - plot.left()) {
    painter->drawText(QPointF(left - 6 - width, plot.top() - 5), text);
  } else if (width + 6 < plot.right() - right) {
    painter->drawText(QPointF(right + 6, plot.top() - 5), text);
  }
}

void ForcedBracket::drawAfterPrefix(QCPPainter* painter) const {
  if (m_prefix >= m_tokens) return;
  const CellFrame cells = frame();
  const QRectF plot = cells.plot();
  const double left = std::max(cells.x(static_cast<double>(m_prefix)), plot.left());
  const QString text = tr("after step %1").arg(m_prefix - 1);
  const QFont font = Theme::font(Theme::kTickPx);
  const QFontMetricsF metrics(font);
  const double length = metrics.horizontalAdvance(text);
  if (plot.right() - left < 2 * metrics.height() || length + 12 > plot.height()) return;
  painter->save();
  painter->setFont(font);
  painter->setPen(theme().faint);
  painter->translate(std::round((left + plot.right() + metrics.ascent()) / 2), plot.bottom() - 8);
  painter->rotate(-90);
  painter->drawText(QPointF(), text);
  painter->restore();
}

}  // namespace qaq::views
