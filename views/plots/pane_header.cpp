#include "views/plots/pane_header.h"

namespace qaq::views {
namespace {

constexpr Px<int> kMargin{12};

}  // namespace

PaneHeader::PaneHeader(QCustomPlot* plot) : QCPLayoutElement(plot) {
  setSizeConstraintRect(scrOuterRect);
  setMinimumSize(0, kHeight);
  setMaximumSize(QWIDGETSIZE_MAX, kHeight);
}

void PaneHeader::setLetter(const QString& letter, int category) {
  m_letter = letter;
  m_category = static_cast<std::size_t>(category);
}

QString PaneHeader::text() const {
  const QString title = m_letter.isEmpty() ? m_title : m_letter + QStringLiteral(": ") + m_title;
  return m_subtitles.isEmpty() ? title : title + QStringLiteral(", ") + m_subtitles.first();
}

void PaneHeader::draw(QCPPainter* painter) {
  const bool exporting = painter->modes().testFlag(QCPPainter::pmNoCaching);
  const QRectF line = rect().adjusted(kMargin, 0, -kMargin - (exporting ? 0 : m_buttonRoom), 0);
  const QFont titleFont = Theme::font(Theme::kTitlePx, true);
  const QFont plain = Theme::font(Theme::kLabelPx);
  painter->setFont(titleFont);
  double letter = 0;
  if (!m_letter.isEmpty()) {
    painter->setPen(QColor(m_theme.palette().categories().at(m_category).color));
    painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter, m_letter);
    letter = QFontMetricsF(titleFont).horizontalAdvance(m_letter) + 8;
  }
  painter->setPen(m_theme.text);
  painter->drawText(line.adjusted(letter, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, m_title);
  const QFontMetricsF metrics(plain);
  const double stateWidth = m_state.isEmpty() ? 0 : metrics.horizontalAdvance(m_state) + 10;
  const double left = letter + QFontMetricsF(titleFont).horizontalAdvance(m_title) + 10;
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
