#include "views/plots/point_labels.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/chart.h"

namespace qaq::views {
namespace {

constexpr Px<double> kGap{7}, kPointPx{5}, kReach{9}, kRing{8}, kSign{5};  // px

QFont fontOf(const PointLabels::Label& label) {
  return Theme::font(Theme::kTickPx, label.isBold || label.compared);
}

QString textOf(const PointLabels::Label& label) {
  if (!label.compared) return label.text;
  const QLatin1String letter(*label.compared == kComparedA ? "A" : "B");
  return label.text.isEmpty() ? QString(letter) : letter + QStringLiteral("  ") + label.text;
}

double gapOf(const PointLabels::Label& label) {
  return label.isCircled || label.compared ? kRing + 3 : kGap;
}

// Places beside a point, the best first.
QList<QRectF> places(const QPointF& point, const QSizeF& size, double gap) {
  const double w = size.width(), h = size.height(), x = point.x(), y = point.y();
  return {{x + gap, y - h / 2, w, h},     {x - gap - w, y - h / 2, w, h},
          {x + gap, y - h - 2, w, h},     {x + gap, y + 2, w, h},
          {x - gap - w, y - h - 2, w, h}, {x - gap - w, y + 2, w, h},
          {x - w / 2, y - h - gap, w, h}, {x - w / 2, y + gap, w, h}};
}

}  // namespace

QPointF PointLabels::pixel(const QPointF& at) const {
  return {m_axes->axis(QCPAxis::atBottom)->coordToPixel(at.x()),
          m_axes->axis(QCPAxis::atLeft)->coordToPixel(at.y())};
}

int PointLabels::nearest(const QPointF& position) const {
  int found = -1;
  double least = kReach;
  for (int i = 0; i < m_labels.size(); ++i) {
    const QPointF away = pixel(m_labels[i].at) - position;
    const double distance = std::hypot(away.x(), away.y());
    if (distance > least) continue;
    least = distance;
    found = i;
  }
  return found;
}

QList<QRectF> PointLabels::boxes() const {
  const QRectF plot = QRectF(m_axes->rect()).adjusted(2, 2, -2, -2);
  QList<QRectF> taken, out;
  for (const Label& label : m_labels) {
    const QPointF point = pixel(label.at);
    taken.push_back({point.x() - kPointPx, point.y() - kPointPx, 2 * kPointPx, 2 * kPointPx});
  }
  for (const QLineF& stroke : m_strokes) {
    const QRectF line = QRectF(pixel(stroke.p1()), pixel(stroke.p2())).normalized();
    taken.push_back(line.adjusted(-1, -1, 1, 1));
  }
  out.resize(m_labels.size());
  // Those of A and B before the others.
  for (const bool compared : {true, false}) {
    for (qsizetype i = 0; i < m_labels.size(); ++i) {
      const Label& label = m_labels[i];
      if (label.compared.has_value() != compared || textOf(label).isEmpty()) continue;
      const QFontMetricsF metrics(fontOf(label));
      const QSizeF size(metrics.horizontalAdvance(textOf(label)) + 2, metrics.height());
      const QList<QRectF> all = places(pixel(label.at), size, gapOf(label));
      const auto free = std::ranges::find_if(all, [&](const QRectF& box) {
        return plot.contains(box) && std::ranges::none_of(taken, [&](const QRectF& other) {
                 return box.intersects(other);
               });
      });
      if (free == all.end()) continue;
      out[i] = *free;
      taken.push_back(*free);
    }
  }
  return out;
}

// As in every chart of both: A a full disc, B a hollow square.
void PointLabels::drawSign(QCPPainter* painter, const QPointF& at, int which,
                           const QColor& color) const {
  const bool isA = which == kComparedA;
  QRectF box(0, 0, 2 * kSign, 2 * kSign);
  box.moveCenter(at);
  for (const bool halo : {true, false}) {
    painter->setPen(QPen(halo ? theme().halo : color, halo ? 5 : 2));
    painter->setBrush(isA ? color : theme().surface);
    isA ? painter->drawEllipse(box) : painter->drawRect(box);
  }
}

void PointLabels::draw(QCPPainter* painter) {
  painter->setAntialiasing(true);
  const QList<QRectF> all = boxes();
  for (int i = 0; i < m_labels.size(); ++i) {
    const Label& label = m_labels[i];
    if (label.isCircled) {
      painter->setPen(QPen(theme().accent, px(2)));
      painter->setBrush(Qt::NoBrush);
      painter->drawEllipse(pixel(label.at), kRing, kRing);
    }
    QColor ink = label.isBold ? theme().text : theme().muted;
    if (label.compared) {
      ink = QColor(
          theme().palette().categories().at(static_cast<std::size_t>(*label.compared)).color);
      drawSign(painter, pixel(label.at), *label.compared, ink);
    }
    if (all[i].isEmpty()) continue;
    painter->setFont(fontOf(label));
    painter->setPen(ink);
    painter->drawText(all[i], Qt::AlignCenter, textOf(label));
  }
}

}  // namespace qaq::views
