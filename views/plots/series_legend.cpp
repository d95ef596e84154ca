#include "views/plots/series_legend.h"

#include "views/plots/chart_look.h"
#include "views/plots/chart_words.h"

namespace qaq::views {
namespace {

constexpr Px<double> kSample{26}, kGap{6}, kBetween{18}, kRow{20};  // px

}  // namespace

void SeriesLegend::set(const ChartPanel& panel, const QStringList& explanations) {
  m_panel = panel;
  m_explanations = explanations;
}

QString SeriesLegend::text() const {
  QStringList names;
  for (const ChartSeries& series : m_panel.series) {
    if (!series.name.empty()) names += chartWords(series.name);
  }
  if (!m_explanations.isEmpty()) names += m_explanations.first();
  return names.join(QStringLiteral(", "));
}

void SeriesLegend::draw(QCPPainter* painter) {
  const QFont label = Theme::font(Theme::kLabelPx), small = Theme::font(Theme::kTickPx);
  const double left = rect().left() + kLeft, right = rect().right() - kRight;
  double x = left;
  painter->setAntialiasing(true);
  for (const ChartSeries& series : m_panel.series) {
    if (series.name.empty()) continue;
    const QString name = chartWords(series.name);
    const double y = rect().top() + 2 + kRow / 2;
    const ChartLook look = lookOf(series, theme());
    painter->setPen(look.line);
    painter->drawLine(QPointF(x, y), QPointF(x + kSample, y));
    if (!look.sign.isNone()) {
      look.sign.applyTo(painter, look.sign.pen());
      look.sign.drawShape(painter, QPointF(x + kSample / 2, y));
    }
    const double width = QFontMetricsF(label).horizontalAdvance(name);
    x += kSample + kGap;
    painter->setFont(label);
    painter->setPen(textColor());
    painter->drawText(QRectF(x, y - kRow / 2, width + 2, kRow), Qt::AlignLeft | Qt::AlignVCenter,
                      name);
    x += width + kBetween;
  }
  if (isCompact()) return;
  painter->setFont(small);
  painter->setPen(mutedColor());
  for (const QString& explanation : m_explanations) {
    if (QFontMetricsF(small).horizontalAdvance(explanation) > right - left) continue;
    painter->drawText(QRectF(left, rect().top() + kRow + 4, right - left, kRow),
                      Qt::AlignLeft | Qt::AlignVCenter, explanation);
    return;
  }
}

}  // namespace qaq::views
