#include "views/plots/violation_marks.h"

#include <QSet>
#include <algorithm>
#include <cmath>

namespace qaq::views {
namespace {

constexpr double kSize = 9;

}  // namespace

QPolygonF violationTriangle(const QPointF& centre, double size) {
  const double half = size / 2;
  return QPolygonF({centre + QPointF(0, -half), centre + QPointF(half, half * 0.8),
                    centre + QPointF(-half, half * 0.8)});
}

void ViolationMarks::setViolations(std::vector<Violation> violations) {
  m_violations = std::move(violations);
  std::stable_sort(m_violations.begin(), m_violations.end(),
                   [](const Violation& a, const Violation& b) { return a.score > b.score; });
}

std::optional<Violation> ViolationMarks::nearest(const QPointF& position, double reach) const {
  const CellFrame cells = frame();
  std::optional<Violation> best;
  for (const Violation& violation : m_violations) {
    const QPointF centre = cells.cell(violation.step, violation.token).center();
    const double distance = QLineF(position, centre).length();
    if (distance >= reach) continue;
    reach = distance;
    best = violation;
  }
  return best;
}

void ViolationMarks::draw(QCPPainter* painter) {
  const CellFrame cells = frame();
  const QRectF sight = cells.plot().adjusted(-kSize, -kSize, kSize, kSize);
  painter->setAntialiasing(true);
  QPen halo(theme().halo, 2);
  halo.setJoinStyle(Qt::MiterJoin);
  painter->setPen(halo);
  painter->setBrush(theme().violation);
  QSet<QPair<int, int>> taken;
  for (const Violation& violation : m_violations) {
    const QPointF centre = cells.cell(violation.step, violation.token).center();
    if (!sight.contains(centre)) continue;
    const QPair<int, int> place(static_cast<int>(std::floor(centre.x() / kSize)),
                                static_cast<int>(std::floor(centre.y() / kSize)));
    if (taken.contains(place)) continue;
    taken.insert(place);
    painter->drawPolygon(violationTriangle(centre, kSize + 1));
  }
}

}  // namespace qaq::views
