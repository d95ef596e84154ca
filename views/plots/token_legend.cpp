#include "views/plots/token_legend.h"

#include <QCoreApplication>
#include <QFontMetricsF>
#include <QLinearGradient>
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "views/plots/evicted_pattern.h"
#include "views/plots/number_format.h"
#include "views/plots/violation_marks.h"

namespace qaq::views {
namespace {

using Strip = TokenFlow::Strip;

constexpr Px<double> kSwatch{22}, kBarWidth{80}, kHigh{14}, kGap{5}, kApart{22};

QString tr(const char* text) { return QCoreApplication::translate("TokenLegend", text); }

std::set<int> widths(const TokenFlow& flow) {
  std::set<int> out;
  for (const Strip strip : {Strip::keyBits, Strip::valueBits}) {
    for (const float bits : flow.numbers(strip)) {
      if (!std::isnan(bits)) out.insert(static_cast<int>(bits));
    }
  }
  return out;
}

bool has(const TokenFlow& flow, Strip strip) {
  const std::vector<Strip> all = flow.strips();
  return std::ranges::find(all, strip) != all.end();
}

// Tokens of which no cell of a cache is left.
int evictedTokens(const TokenFlow& flow) {
  int n = 0;
  for (int token = 0; token < static_cast<int>(flow.content()->text->shown.size()); ++token) {
    n += flow.isEvicted(token, Strip::keyBits) || flow.isEvicted(token, Strip::valueBits);
  }
  return n;
}

bool hasViolations(const TokenFlow& flow) {
  const auto& counts = flow.content()->strips.violations;
  return std::ranges::any_of(counts, [](std::int32_t n) { return n > 0; });
}

// Writes from left to right while there is room.
class Row {
 public:
  Row(QPainter* painter, const QRectF& area, const Theme& theme)
      : m_painter(painter),
        m_theme(theme),
        m_x(area.left() + 12),
        m_right(area.right() - 12),
        m_top(area.center().y() - kHigh / 2) {
    painter->setFont(Theme::font(Theme::kTickPx));
  }

  // An entry `width` wide that `draw` fills; false where it finds no room.
  bool add(double width, const std::function<void(const QRectF&)>& draw) {
    if (m_full || m_x + width > m_right) {
      m_full = true;
      return false;
    }
    draw(QRectF(m_x, m_top, width, kHigh));
    m_x += width;
    return true;
  }
  void space(double width) { m_x += width; }
  double widthOf(const QString& text) const {
    return std::ceil(QFontMetricsF(m_painter->font()).horizontalAdvance(text)) + 1;
  }
  void words(const QString& text, const QColor& color) {
    add(widthOf(text), [&](const QRectF& box) {
      m_painter->setPen(color);
      m_painter->drawText(box, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextDontClip, text);
    });
  }
  void bar(const ColorMap& colors) {
    add(kBarWidth, [&](const QRectF& box) {
      QLinearGradient gradient(box.topLeft(), box.topRight());
      const auto& table = colors.table();
      constexpr int kStops = 32;
      for (int i = 0; i <= kStops; ++i) {
        const auto at = static_cast<std::size_t>(i) * (table.size() - 1) / kStops;
        gradient.setColorAt(i / static_cast<double>(kStops), QColor(table[at]));
      }
      frame(box.adjusted(0, 2, 0, -2), gradient);
    });
  }
  void frame(const QRectF& box, const QBrush& fill) {
    m_painter->setPen(QPen(m_theme.frame, px(1)));
    m_painter->setBrush(fill);
    m_painter->drawRect(box);
  }

 private:
  QPainter* m_painter;
  const Theme& m_theme;
  double m_x, m_right, m_top;
  bool m_full = false;
};

}  // namespace

void TokenLegend::draw(QPainter* painter, const QRectF& area, const TokenFlow& flow,
                       const Theme& theme) {
  if (!flow.content()) return;
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing, false);
  Row row(painter, area, theme);
  row.words(tr("bits"), theme.muted);
  row.space(kGap);
  const ColorMap bits = flow.colors(Strip::keyBits), values = flow.colors(Strip::valueBits);
  const int exactFrom = std::min(bits.exactFrom(), values.exactFrom());
  for (const int width : widths(flow)) {
    const QString numeral = width >= exactFrom ? tr("exact") : QString::number(width);
    row.add(std::max<double>(kSwatch, row.widthOf(numeral) + 6), [&](const QRectF& box) {
      const QRgb fill = (width >= exactFrom && values.exactFrom() == exactFrom ? values : bits)(
          static_cast<float>(width));
      row.frame(box.adjusted(0, 0, -2, 0), QColor(fill));
      painter->setPen(Palette::inkOn(fill));
      painter->drawText(box.adjusted(0, 0, -2, 0), Qt::AlignCenter, numeral);
    });
  }
  if (evictedTokens(flow) > 0) {
    row.space(kGap);
    row.add(kSwatch + 10, [&](const QRectF& box) {
      drawEvicted(painter, box.adjusted(0, 0, -2, 0), theme);
      row.frame(box.adjusted(0, 0, -2, 0), Qt::NoBrush);
    });
    row.space(kGap);
    row.words(tr("evicted"), theme.muted);
  }
  if (has(flow, Strip::attention)) {
    const ColorMap colors = flow.colors(Strip::attention);
    const int low = static_cast<int>(std::lround(std::log10(colors.low())));
    row.space(kApart);
    row.words(tr("attention, log"), theme.muted);
    row.space(kGap);
    row.words(decadeText(low), theme.text);
    row.space(kGap);
    row.bar(colors);
    row.space(kGap);
    row.words(QStringLiteral("1"), theme.text);
  }
  if (has(flow, Strip::outliers)) {
    row.space(kApart);
    row.words(tr("kept exactly, K + V, log"), theme.muted);
    row.space(kGap);
    row.words(QStringLiteral("1"), theme.text);
    row.space(kGap);
    row.bar(flow.colors(Strip::outliers));
    row.space(kGap);
    row.words(tr("%1 values").arg(flow.content()->values), theme.text);
  }
  if (hasViolations(flow)) {
    row.space(kApart);
    row.add(12, [&](const QRectF& box) {
      painter->setRenderHint(QPainter::Antialiasing);
      painter->setPen(Qt::NoPen);
      painter->setBrush(theme.violation);
      painter->drawPolygon(violationTriangle(box.center(), 9));
      painter->setRenderHint(QPainter::Antialiasing, false);
    });
    row.words(tr("importance jumped"), theme.muted);
  }
  const CaptureInfo& info = flow.content()->slice->analysis->capture->info();
  if (flow.content()->slice->analysis->replay->prefix < info.n_tokens) {
    row.space(kApart);
    row.words(tr("faint: not in the cache"), theme.faint);
  }
  painter->restore();
}

QString TokenLegend::text(const TokenFlow& flow) {
  if (!flow.content()) return {};
  QStringList bits;
  for (const int width : widths(flow)) bits += QString::number(width);
  const QString occurring = tr("bits that occur: %1").arg(bits.join(QStringLiteral(", ")));
  const int evicted = evictedTokens(flow);
  if (evicted == 0) return occurring;
  return occurring + QStringLiteral("; ") +
         counted(evicted, tr("1 token evicted"), tr("%1 tokens evicted"));
}

}  // namespace qaq::views
