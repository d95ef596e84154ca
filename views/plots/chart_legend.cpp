#include "views/plots/chart_legend.h"

#include <algorithm>

#include "views/plots/chart_words.h"

namespace qaq::views {
namespace {

constexpr Px<double> kSide{12}, kRow{20}, kSample{26}, kGap{6}, kBetween{18}, kBelow{4};  // px

double widthOf(const QString& name) {
  return kSample + kGap + QFontMetricsF(Theme::font(Theme::kLabelPx)).horizontalAdvance(name);
}

}  // namespace

ChartLegend::ChartLegend(QCustomPlot* plot) : QCPLayoutElement(plot) {
  setSizeConstraintRect(scrOuterRect);
}

void ChartLegend::setChart(const Chart& chart, const Theme& theme) {
  m_entries.clear();
  m_ink = theme.text;
  const auto add = [&](const std::string& text, ChartMark mark, const ChartLook& look) {
    const QString name = chartWords(text);
    if (!name.isEmpty() && !names().contains(name)) m_entries.push_back({name, mark, look});
  };
  for (const ChartPanel& panel : chart.panels) {
    for (const ChartSeries& series : panel.series) {
      add(series.name, series.mark, lookOf(series, theme));
    }
  }
  for (const ChartPanel& panel : chart.panels) {
    for (const ChartLine& line : panel.lines) {
      add(line.label, ChartMark::line, {.line = linePen(theme)});
    }
  }
}

QStringList ChartLegend::names() const {
  QStringList out;
  for (const Entry& entry : m_entries) out += entry.name;
  return out;
}

QList<QPointF> ChartLegend::places(double width) const {
  QList<QPointF> out;
  QPointF at(kSide, 0);
  for (const Entry& entry : m_entries) {
    const double needed = widthOf(entry.name);
    if (at.x() > kSide && at.x() + needed > width - kSide) at = {kSide, at.y() + kRow};
    out.push_back(at);
    at.rx() += needed + kBetween;
  }
  return out;
}

int ChartLegend::heightFor(int width) const {
  const auto at = places(width);
  return at.isEmpty() ? 0 : static_cast<int>(at.back().y() + kRow + kBelow);
}

void ChartLegend::fit(int width) {
  const int px = heightFor(width);
  setMinimumSize(0, px);
  setMaximumSize(QWIDGETSIZE_MAX, px);
}

void ChartLegend::drawSample(QCPPainter* painter, const QRectF& box, const Entry& entry) {
  const QPointF middle = box.center();
  painter->setPen(entry.look.line);
  painter->setBrush(entry.look.fill);
  if (entry.mark == ChartMark::bars || entry.mark == ChartMark::boxes) {
    painter->drawRect(box.adjusted(6, 4, -6, -4));
  } else if (entry.mark == ChartMark::rug) {
    painter->drawLine(middle - QPointF(0, 5), middle + QPointF(0, 5));
  } else if (entry.look.line.style() != Qt::NoPen) {
    painter->drawLine(QPointF(box.left(), middle.y()), QPointF(box.right(), middle.y()));
  }
  if (!entry.look.sign.isNone()) {
    entry.look.sign.applyTo(painter, entry.look.sign.pen());
    entry.look.sign.drawShape(painter, middle);
  }
}

void ChartLegend::draw(QCPPainter* painter) {
  const auto at = places(rect().width());
  for (qsizetype i = 0; i < at.size(); ++i) {
    const QRectF box(at[i] + rect().topLeft(), QSizeF(kSample, kRow));
    drawSample(painter, box, m_entries[i]);
    painter->setFont(Theme::font(Theme::kLabelPx));
    painter->setPen(m_ink);
    painter->drawText(QRectF(box.right() + kGap, box.top(), widthOf(m_entries[i].name), kRow),
                      Qt::AlignLeft | Qt::AlignVCenter, m_entries[i].name);
  }
}

void ChartLegend::applyDefaultAntialiasingHint(QCPPainter* painter) const {
  painter->setAntialiasing(true);
}

}  // namespace qaq::views
