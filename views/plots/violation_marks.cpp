#include "views/plots/violation_marks.h"

#include <QSet>
#include <cmath>

namespace qaq::views {
namespace {

constexpr Px<double> kSize{10};
constexpr Px<double> kSpacing{9};  // px of the squares of which each holds one triangle

}  // namespace

QPolygonF violationTriangle(const QPointF& centre, double size) {
  const double half = size / 2;
  return QPolygonF({centre + QPointF(0, -half), centre + QPointF(half, half * 0.8),
                    centre + QPointF(-half, half * 0.8)});
}

QPointF ViolationMarks::placeOf(const Violation& violation) const {
  return {violation.token + 0.5, violation.step + 0.5};
}

QPointF ViolationMarks::centreOf(const Violation& violation, const CellFrame& cells) const {
  const QPointF place = placeOf(violation);
  return {cells.x(place.x()), cells.y(place.y())};
}

std::vector<Violation> ViolationMarks::drawn() const {
  std::vector<Violation> out;
  if (!m_violations) return out;
  const CellFrame cells = frame();
  const QRectF sight = cells.plot().adjusted(-kSize, -kSize, kSize, kSize);
  QSet<QPair<int, int>> taken;
  for (const Violation& violation : *m_violations) {
    const QPointF centre = centreOf(violation, cells);
    if (!sight.contains(centre)) continue;
    const QPair<int, int> place(static_cast<int>(std::floor(centre.x() / kSpacing)),
                                static_cast<int>(std::floor(centre.y() / kSpacing)));
    if (taken.contains(place)) continue;
    taken.insert(place);
    out.push_back(violation);
    if (out.size() == kMost) break;
  }
  return out;
}

std::optional<Violation> ViolationMarks::nearest(const QPointF& position, double reach) const {
  const CellFrame cells = frame();
  std::optional<Violation> best;
  for (const Violation& violation : drawn()) {
    const QPointF centre = centreOf(violation, cells);
    const double distance = QLineF(position, centre).length();
    if (distance >= reach) continue;
    reach = distance;
    best = violation;
  }
  return best;
}

void ViolationMarks::draw(QCPPainter* painter) {
  const CellFrame cells = frame();
  painter->setAntialiasing(true);
  QPen halo(theme().halo, 2);
  halo.setJoinStyle(Qt::MiterJoin);
  painter->setPen(halo);
  painter->setBrush(theme().violation);
  for (const Violation& violation : drawn()) {
    const QPointF centre = centreOf(violation, cells);
    painter->drawPolygon(violationTriangle(centre, kSize));
  }
}

}  // namespace qaq::views
