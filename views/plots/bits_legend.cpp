#include "views/plots/bits_legend.h"

#include <algorithm>

#include "views/plots/evicted_pattern.h"
#include "views/plots/number_format.h"

namespace qaq::views {
namespace {

constexpr Px<double> kSwatchWidth{36}, kNarrowSwatch{20}, kSwatchHeight{17}, kGap{7};
constexpr Px<double> kEvictedRoom{16};  // around the swatch, for the word below it

}  // namespace

void BitsLegend::set(const BitHistogram& histogram, const ColorMap& colors,
                     std::optional<double> nominalBits) {
  m_colors = colors;
  m_mean = histogram.mean;
  m_nominal = nominalBits;
  m_entries.clear();
  const auto units = static_cast<double>(histogram.total + histogram.evicted);
  m_evicted = units > 0 ? static_cast<double>(histogram.evicted) / units : 0;
  for (std::size_t bits = 0; bits < histogram.count.size(); ++bits) {
    if (histogram.count[bits] == 0) continue;
    m_entries.push_back(
        {static_cast<int>(bits), static_cast<double>(histogram.count[bits]) / units});
  }
}

QString BitsLegend::numeral(int bits) const {
  return bits >= m_colors.exactFrom() ? tr("exact") : QString::number(bits);
}

QString BitsLegend::text() const {
  QStringList parts;
  for (const Entry& entry : m_entries) {
    parts += tr("%1 bits: %2").arg(numeral(entry.bits), shareText(entry.share));
  }
  if (m_evicted > 0) parts += tr("evicted: %1").arg(shareText(m_evicted));
  const QString shares = parts.join(QStringLiteral(", "));
  if (!m_nominal) return shares;
  return shares + QStringLiteral("; ") +
         tr("mean %1 bits, nominal %2").arg(numberText(m_mean), numberText(*m_nominal));
}

QString BitsLegend::evictedText() const {
  return m_evicted > 0 ? tr("evicted %1").arg(shareText(m_evicted)) : QString();
}

void BitsLegend::drawSwatch(QCPPainter* painter, const QRectF& box, const Entry& entry) const {
  const QRgb fill = m_colors(static_cast<float>(entry.bits));
  painter->setAntialiasing(false);
  painter->setPen(QPen(theme().frame, px(1)));
  painter->setBrush(QColor(fill));
  painter->drawRect(box);
  painter->setPen(Palette::inkOn(fill));
  painter->setFont(Theme::font(Theme::kTickPx, true));
  painter->drawText(box, Qt::AlignCenter, numeral(entry.bits));
}

void BitsLegend::draw(QCPPainter* painter) {
  if (m_entries.empty() && m_evicted == 0) return;
  const QFont small = Theme::font(Theme::kTickPx), label = Theme::font(Theme::kLabelPx);
  const QRectF area = rect();
  const double top = area.top() + (isCompact() ? px(3) : px(4));
  const double shareTop = top + kSwatchHeight + px(3);
  const QString mean = m_nominal ? tr("mean %1 bits").arg(numberText(m_mean)) : QString();
  const double meanWidth = QFontMetricsF(label).horizontalAdvance(mean);
  const double right = area.right() - kRight;

  painter->setFont(small);
  painter->setPen(mutedColor());
  painter->drawText(QRectF(area.left(), top, kLeft - px(8), kSwatchHeight),
                    Qt::AlignRight | Qt::AlignVCenter, tr("bits"));
  const double evictedWidth =
      m_evicted > 0
          ? std::max<double>(kSwatchWidth,
                             QFontMetricsF(small).horizontalAdvance(evictedText()) - kEvictedRoom)
          : 0;
  const auto n = static_cast<double>(m_entries.size() + (m_absent ? 1 : 0) + (m_evicted > 0));
  double room = right - meanWidth - 12 - (area.left() + kLeft);
  if (m_evicted > 0) room -= evictedWidth + kEvictedRoom - kSwatchWidth;
  // In a narrow pane the swatches take the line, and the mean stands below them.
  const bool narrow = room < n * (kNarrowSwatch + kGap);
  if (narrow) room = right - (area.left() + kLeft);
  double x = area.left() + kLeft;
  const double slot = std::clamp(room / n, kNarrowSwatch + kGap, kSwatchWidth + kGap);
  const bool shares = !isCompact() && !narrow && slot >= kSwatchWidth;
  if (shares) {
    painter->drawText(QRectF(area.left(), shareTop, kLeft - px(8), px(16)),
                      Qt::AlignRight | Qt::AlignVCenter, tr("share"));
  }
  for (const Entry& entry : m_entries) {
    const double width =
        numeral(entry.bits).size() > 2 ? std::max(slot - kGap, px(40)) : slot - kGap;
    drawSwatch(painter, QRectF(x, top, width, kSwatchHeight), entry);
    if (shares) {
      painter->setFont(small);
      painter->setPen(mutedColor());
      painter->drawText(QRectF(x - px(6), shareTop, width + px(12), px(16)), Qt::AlignCenter,
                        shareText(entry.share));
    }
    x += width + kGap;
  }
  if (m_evicted > 0) {
    const double width = shares ? evictedWidth : slot - kGap;
    const double around = shares ? kEvictedRoom / 2 : 0;
    const QRectF box(x + around, top, width, kSwatchHeight);
    drawEvicted(painter, box, theme());
    painter->setAntialiasing(false);
    painter->setPen(QPen(theme().frame, px(1)));
    painter->setBrush(Qt::NoBrush);
    painter->drawRect(box);
    if (shares) {
      painter->setFont(small);
      painter->setPen(mutedColor());
      painter->drawText(
          box.adjusted(-kEvictedRoom, 0, kEvictedRoom, 0).translated(0, shareTop - top),
          Qt::AlignCenter, evictedText());
    }
    x = box.right() + around + kGap;
  }
  if (m_absent && x + px(50) < right - meanWidth) {
    const QRectF box(x + 4, top, kSwatchWidth, kSwatchHeight);
    painter->setPen(QPen(theme().frame, px(1)));
    painter->setBrush(QBrush(theme().hatch, Qt::BDiagPattern));
    painter->drawRect(box);
    painter->setFont(small);
    painter->setPen(mutedColor());
    if (!isCompact())
      painter->drawText(QRectF(x - px(6), shareTop, kSwatchWidth + px(20), px(16)), Qt::AlignCenter,
                        tr("absent"));
  }
  if (narrow) {
    if (isCompact()) return;
    painter->setFont(small);
    painter->setPen(textColor());
    painter->drawText(QRectF(area.left() + kLeft, shareTop, right - area.left() - kLeft, px(16)),
                      Qt::AlignRight | Qt::AlignVCenter, mean);
    return;
  }
  painter->setFont(label);
  painter->setPen(textColor());
  painter->drawText(QRectF(right - meanWidth - 2, top, meanWidth + 2, kSwatchHeight),
                    Qt::AlignRight | Qt::AlignVCenter, mean);
  if (isCompact() || !m_nominal) return;
  painter->setFont(small);
  painter->setPen(mutedColor());
  painter->drawText(QRectF(right - px(140), shareTop, px(140), px(16)),
                    Qt::AlignRight | Qt::AlignVCenter,
                    tr("nominal %1").arg(numberText(*m_nominal)));
}

}  // namespace qaq::views
