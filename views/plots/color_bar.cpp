#include "views/plots/color_bar.h"

#include <algorithm>
#include <cmath>

#include "views/plots/color_ticks.h"
#include "views/plots/evicted_pattern.h"
#include "views/plots/number_format.h"
#include "views/plots/violation_marks.h"

namespace qaq::views {
namespace {

constexpr Px<double> kBarHeight{13}, kMostBarWidth{200}, kLeastBarWidth{110}, kNoteGap{24};
constexpr Px<double> kSwatch{26}, kSwatchGap{14}, kWordGap{5};

}  // namespace

void ColorBar::setScale(const ColorMap& colors, const QString& quantity) {
  m_colors = colors;
  m_quantity = quantity;
}

void ColorBar::setNotes(Mark mark, const QStringList& notes) {
  m_mark = mark;
  m_notes = notes;
}

QString ColorBar::text() const {
  QString out = m_quantity;
  if (m_evicted > 0) out += QStringLiteral("; ") + tr("evicted %1").arg(shareText(m_evicted));
  return m_notes.isEmpty() ? out : out + QStringLiteral("; ") + m_notes.first();
}

// As much as there is room for beside the swatch.
QString ColorBar::evictedText(double room) const {
  const QFontMetricsF metrics(Theme::font(Theme::kTickPx));
  for (const QString& text : {tr("evicted %1").arg(shareText(m_evicted)), tr("evicted")}) {
    if (metrics.horizontalAdvance(text) <= room) return text;
  }
  return {};
}

void ColorBar::drawBar(QCPPainter* painter, const QRectF& bar) const {
  const auto& table = m_colors.table();
  QImage strip(static_cast<int>(table.size()), 1, QImage::Format_RGB32);
  for (int i = 0; i < strip.width(); ++i) strip.setPixel(i, 0, table[static_cast<std::size_t>(i)]);
  painter->drawImage(bar, strip);
  painter->setAntialiasing(false);
  painter->setPen(QPen(theme().frame, px(1)));
  painter->setBrush(Qt::NoBrush);
  painter->drawRect(bar.adjusted(-1, -1, 0, 0));
  painter->setFont(Theme::font(Theme::kTickPx));
  for (const ColorTick& tick : colorTicks(m_colors, bar.width() - 1)) {
    const double x = std::round(bar.left() + m_colors.position(tick.value) * (bar.width() - 1));
    painter->setPen(QPen(theme().frame, px(1)));
    painter->drawLine(QLineF(x, bar.bottom(), x, bar.bottom() + px(3)));
    painter->setPen(mutedColor());
    painter->drawText(QRectF(x - px(30), bar.bottom() + px(4), px(60), px(15)),
                      Qt::AlignHCenter | Qt::AlignTop, tick.label);
  }
}

void ColorBar::drawNote(QCPPainter* painter, const QString& note, const QPointF& left) const {
  double x = left.x();
  const double middle = left.y();
  if (m_mark == Mark::outlier) {
    painter->fillRect(QRectF(x, middle - px(4), px(7), px(7)), QColor(0x14, 0x18, 0x1D));
    painter->fillRect(QRectF(x + px(1), middle - px(3), px(5), px(5)), Qt::white);
    x += px(12);
  } else if (m_mark == Mark::violation) {
    painter->setAntialiasing(true);
    painter->setPen(Qt::NoPen);
    painter->setBrush(theme().violation);
    painter->drawPolygon(violationTriangle(QPointF(x + px(4), middle), px(9)));
    x += px(13);
  }
  painter->setFont(Theme::font(Theme::kTickPx));
  painter->setPen(mutedColor());
  painter->drawText(QPointF(x, middle + px(4)), note);
}

void ColorBar::draw(QCPPainter* painter) {
  if (m_colors.table().empty()) return;
  const QRectF area = rect();
  const QFontMetricsF small(Theme::font(Theme::kTickPx)), label(Theme::font(Theme::kLabelPx));
  const double room = area.width() - kLeft - kRight - kNoteGap;
  QString note, evicted;
  double beside = label.horizontalAdvance(m_quantity);
  if (m_evicted > 0) {
    beside += kSwatchGap + kSwatch;
    evicted = evictedText(room - beside - kWordGap - kLeastBarWidth);
    if (!evicted.isEmpty()) beside += kWordGap + small.horizontalAdvance(evicted);
  }
  for (const QString& wording : m_notes) {
    note = wording;
    const double width = std::max(beside, small.horizontalAdvance(note) + px(14));
    if (room - width < kLeastBarWidth && wording != m_notes.last()) continue;
    beside = width;
    break;
  }
  const QRectF bar(area.left() + kLeft, area.top() + px(5),
                   std::clamp<double>(room - beside, px(90), kMostBarWidth), kBarHeight);
  drawBar(painter, bar);
  const double x = bar.right() + kNoteGap;
  painter->setFont(Theme::font(Theme::kLabelPx));
  painter->setPen(textColor());
  painter->drawText(QPointF(x, bar.center().y() + px(4)), m_quantity);
  if (m_evicted > 0) {
    const QRectF box(x + label.horizontalAdvance(m_quantity) + kSwatchGap, bar.top(), kSwatch,
                     kBarHeight);
    drawEvicted(painter, box, theme());
    painter->setAntialiasing(false);
    painter->setPen(QPen(theme().frame, px(1)));
    painter->setBrush(Qt::NoBrush);
    painter->drawRect(box);
    painter->setFont(Theme::font(Theme::kTickPx));
    painter->setPen(mutedColor());
    painter->drawText(QPointF(box.right() + kWordGap, bar.center().y() + px(4)), evicted);
  }
  drawNote(painter, note, QPointF(x, bar.bottom() + px(12)));
}

}  // namespace qaq::views
