#include "views/plots/chart_text.h"

#include <cmath>

namespace qaq::views {
namespace {

constexpr Px<int> kSide{12}, kGap{3};  // px
constexpr int kTall = 1 << 16;         // higher than any text

QSizeF sizeOf(const ChartText::Paragraph& paragraph, double width, int flags) {
  const QFontMetricsF metrics(Theme::font(paragraph.px, paragraph.bold));
  return metrics.boundingRect(QRectF(0, 0, width, kTall), flags, paragraph.text).size();
}

}  // namespace

ChartText::ChartText(QCustomPlot* plot) : QCPLayoutElement(plot) {
  setSizeConstraintRect(scrOuterRect);
}

int ChartText::heightFor(int width) const {
  double height = 0;
  for (const Paragraph& paragraph : m_paragraphs) {
    height += sizeOf(paragraph, width - 2 * kSide, kFlags).height() + kGap;
  }
  if (height > 0) height += kGap;
  return static_cast<int>(std::ceil(height));
}

void ChartText::fit(int width) {
  const int px = heightFor(width);
  setMinimumSize(0, px);
  setMaximumSize(QWIDGETSIZE_MAX, px);
}

void ChartText::draw(QCPPainter* painter) {
  const QRectF area = QRectF(rect()).adjusted(kSide, kGap, -kSide, 0);
  double top = area.top();
  for (const Paragraph& paragraph : m_paragraphs) {
    const double height = sizeOf(paragraph, area.width(), kFlags).height();
    painter->setFont(Theme::font(paragraph.px, paragraph.bold));
    painter->setPen(paragraph.color);
    painter->drawText(QRectF(area.left(), top, area.width(), height), kFlags, paragraph.text);
    top += height + kGap;
  }
}

void ChartText::applyDefaultAntialiasingHint(QCPPainter* painter) const {
  painter->setAntialiasing(true);
}

}  // namespace qaq::views
