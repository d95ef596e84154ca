#include "views/plots/window_box.h"

#include <algorithm>
#include <cmath>

namespace qaq::views {

void WindowBox::setRows(std::int64_t n, std::int64_t lastStep) {
  m_n = std::min(n, lastStep + 1);
  m_lastStep = lastStep;
}

QRectF WindowBox::box() const {
  const auto end = static_cast<double>(m_lastStep + 1);
  return frame().cells(
      {.left = 0, .top = end - static_cast<double>(m_n), .right = end, .bottom = end});
}

void WindowBox::draw(QCPPainter* painter) {
  if (m_n <= 0 || !box().intersects(frame().plot())) return;
  drawBox(painter, box().toAlignedRect().adjusted(1, 0, -2, -1), theme().accent, 1);
}

void WindowLabel::draw(QCPPainter* painter) {
  const CellFrame cells = frame();
  const QRectF box = m_box->box();
  if (m_box->m_n <= 0 || !box.intersects(cells.plot())) return;
  const QString text = tr("window, n = %1").arg(m_box->m_n);
  const QFont font = Theme::font(Theme::kTickPx);
  const QFontMetricsF metrics(font);
  // Above the diagonal there is nothing to hide: the words stand there, as near as they fit.
  const double left = cells.plot().right() - 6 - metrics.horizontalAdvance(text);
  const double diagonal = cells.y(cells.columnAt(left - 8) - 1);
  const QPointF at(left, std::min(box.top(), diagonal) - 6);
  if (at.y() - metrics.ascent() < cells.plot().top()) return;
  const QPointF corner(std::min(box.right(), cells.plot().right()), box.top());
  painter->setPen(QPen(theme().muted, px(1)));
  painter->drawLine(QLineF(at + QPointF(metrics.horizontalAdvance(text) / 2, 4), corner));
  const QRectF words(at.x() - 2, at.y() - metrics.ascent(), metrics.horizontalAdvance(text) + 4,
                     metrics.height());
  painter->fillRect(words, theme().surface);
  painter->setFont(font);
  painter->setPen(theme().text);
  painter->drawText(at, text);
}

}  // namespace qaq::views
