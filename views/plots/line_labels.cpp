#include "views/plots/line_labels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "views/plots/chart_look.h"
#include "views/plots/chart_words.h"

namespace qaq::views {
namespace {

constexpr Px<double> kAway{6};  // px between line and name
constexpr double kBody = 0.25;  // of an outline's height

}  // namespace

void LineLabels::setPanel(const ChartPanel& panel, const QStringList& names) {
  m_lines.clear();
  m_names.clear();
  for (const ChartSeries& series : panel.series) {
    if (series.mark != ChartMark::line_points && series.mark != ChartMark::steps) continue;
    m_names.push_back(names.value(m_lines.size(), chartWords(series.name)));
    m_lines.push_back(series);
  }
}

void LineLabels::draw(QCPPainter* painter) {
  const QRectF plot = frame().plot();
  const QFont font = Theme::font(Theme::kTickPx, true);
  const QFontMetricsF metrics(font);
  const QCPAxis *x = m_axes->axis(QCPAxis::atBottom), *y = m_axes->axis(QCPAxis::atLeft);
  QList<QRectF> taken;
  for (qsizetype k = 0; k < m_lines.size(); ++k) {
    const ChartSeries& line = m_lines[k];
    const QString& name = m_names[k];
    const QSizeF size(metrics.horizontalAdvance(name), metrics.ascent());
    // Outlines are told apart where their numbers are, not in their tails.
    double least = 0;
    for (const ChartPoint& point : line.points) {
      if (line.mark == ChartMark::steps) least = std::max(least, kBody * point.y);
    }
    double best = 0;
    QRectF place;
    for (std::size_t i = 0; i < line.points.size(); ++i) {
      if (!(line.points[i].y > 0) || line.points[i].y < least) continue;
      const QPointF at(x->coordToPixel(line.points[i].x), y->coordToPixel(line.points[i].y));
      // Room above and below, to the other lines and to the frame.
      double above = at.y() - plot.top(), below = plot.bottom() - at.y();
      for (const ChartSeries& other : m_lines) {
        if (&other == &line || i >= other.points.size() || !(other.points[i].y > 0)) continue;
        const double dy = y->coordToPixel(other.points[i].y) - at.y();
        (dy > 0 ? below : above) = std::min(dy > 0 ? below : above, std::abs(dy));
      }
      const double room = std::max(above, below);
      QRectF box(QPointF(), size);
      box.moveCenter(at + QPointF(0, (above > below ? -1 : 1) * (kAway + size.height() / 2)));
      const bool free = plot.contains(box) && std::ranges::none_of(taken, [&](const QRectF& other) {
                          return other.intersects(box);
                        });
      if (!free || room <= best) continue;
      best = room;
      place = box;
    }
    if (place.isEmpty()) continue;
    taken.push_back(place);
    QPainterPath path;
    path.addText(place.left(), place.bottom(), font, name);
    painter->setAntialiasing(true);
    painter->setPen(QPen(theme().halo, px(3)));
    painter->setBrush(Qt::NoBrush);
    painter->drawPath(path);
    painter->setPen(Qt::NoPen);
    painter->setBrush(lookOf(line, theme()).line.color());
    painter->drawPath(path);
  }
}

}  // namespace qaq::views
