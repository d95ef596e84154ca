#include "views/plots/cell_texts.h"

#include <QFontMetricsF>
#include <algorithm>
#include <cmath>

#include "views/plots/number_format.h"
#include "views/plots/theme.h"

namespace qaq::views {
namespace {

constexpr Px<double> kLeastCell{16};  // px
constexpr Px<double> kPadding{2};     // px on each side of a number
constexpr int kMostDigits = 3;

struct Range {
  std::int64_t first, last;
};

Range inside(double from, double to, std::int64_t count) {
  const auto clamped = [count](double edge) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(edge), 0, count);
  };
  return {clamped(std::floor(from)), clamped(std::ceil(to))};
}

/// Empty where there is no room.
QString textOf(float value, const ColorMap& colors, const QFontMetricsF& metrics, double room) {
  if (colors.isDiscrete()) {
    // What was left exact has a width of its own, which the legend says.
    if (value >= static_cast<float>(colors.exactFrom())) return {};
    const QString text = numberText(value, std::nearbyint(value) == value ? 1 : kMostDigits);
    return metrics.horizontalAdvance(text) <= room ? text : QString();
  }
  for (int digits = kMostDigits; digits > 0; --digits) {
    const QString text = numberText(value, digits);
    if (metrics.horizontalAdvance(text) <= room) return text;
  }
  return {};
}

}  // namespace

void drawCellTexts(QPainter* painter, const Heatmap& map, const ColorMap& colors, QRgb grid,
                   const CellFrame& frame) {
  if (frame.cellWidth() < kLeastCell || frame.cellHeight() < kLeastCell) return;
  const QFont font = Theme::font(Theme::kTickPx);
  const QFontMetricsF metrics(font);
  const double room = frame.cellWidth() - 2 * kPadding;
  QColor line = QColor::fromRgb(grid);
  line.setAlphaF(0.7f);
  painter->setFont(font);
  painter->setBrush(Qt::NoBrush);
  const Range rows = inside(frame.area().top, frame.area().bottom, map.rows());
  const Range columns = inside(frame.area().left, frame.area().right, map.columns());
  for (std::int64_t row = rows.first; row < rows.last; ++row) {
    for (std::int64_t column = columns.first; column < columns.last; ++column) {
      const float cell = map.at(row, column);
      if (!Heatmap::is_value(cell)) continue;
      const QRectF box = frame.cell(row, column);
      painter->setPen(QPen(line, px(1)));
      painter->drawRect(box);
      const QString text = textOf(cell, colors, metrics, room);
      if (text.isEmpty()) continue;
      painter->setPen(Palette::inkOn(colors(cell)));
      painter->drawText(box, Qt::AlignCenter, text);
    }
  }
}

}  // namespace qaq::views
