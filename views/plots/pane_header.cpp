#include "views/plots/pane_header.h"

namespace qaq::views {
namespace {

constexpr int kMargin = 12;

}  // namespace

PaneHeader::PaneHeader(QCustomPlot* plot) : QCPLayoutElement(plot) {
  setSizeConstraintRect(scrOuterRect);
  setMinimumSize(0, kHeight);
  setMaximumSize(QWIDGETSIZE_MAX, kHeight);
}

QString PaneHeader::text() const {
  return m_subtitles.isEmpty() ? m_title : m_title + QStringLiteral(", ") + m_subtitles.first();
}

void PaneHeader::draw(QCPPainter* painter) {
  const bool exporting = painter->modes().testFlag(QCPPainter::pmNoCaching);
  const QRectF line = rect().adjusted(kMargin, 0, -kMargin - (exporting ? 0 : m_buttonRoom), 0);
  const QFont titleFont = Theme::font(Theme::kTitlePx, true);
  const QFont plain = Theme::font(Theme::kLabelPx);
  painter->setFont(titleFont);
  painter->setPen(m_theme.text);
  painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter, m_title);
  const QFontMetricsF metrics(plain);
  const double stateWidth = m_state.isEmpty() ? 0 : metrics.horizontalAdvance(m_state) + 10;
  const double left = QFontMetricsF(titleFont).horizontalAdvance(m_title) + 10;
  painter->setFont(plain);
  painter->setPen(m_theme.muted);
  painter->drawText(line, Qt::AlignRight | Qt::AlignVCenter, m_state);
  for (const QString& subtitle : m_subtitles) {
    if (metrics.horizontalAdvance(subtitle) > line.width() - left - stateWidth) continue;
    painter->drawText(line.adjusted(left, 0, -stateWidth, 0), Qt::AlignLeft | Qt::AlignVCenter,
                      subtitle);
    return;
  }
}

}  // namespace qaq::views
