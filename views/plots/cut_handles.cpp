#include "views/plots/cut_handles.h"

#include <cmath>

namespace qaq::views {
namespace {

constexpr Px<double> kReach{6};              // px beside a handle
constexpr Px<double> kGrip{5}, kGripTop{0};  // half the width of the grip, and where it hangs

}  // namespace

void CutHandles::setCut(double low, double high) {
  m_low = low;
  m_high = high;
}

double CutHandles::pixel(double x) const {
  return m_axes->axis(QCPAxis::atBottom)->coordToPixel(x);
}

std::optional<double> CutHandles::at(const QPointF& position) const {
  if (!m_axes->rect().contains(position.toPoint())) return std::nullopt;
  const double toLow = std::abs(position.x() - pixel(m_low)),
               toHigh = std::abs(position.x() - pixel(m_high));
  if (std::min(toLow, toHigh) > kReach) return std::nullopt;
  return toLow < toHigh ? m_low : m_high;
}

void CutHandles::draw(QCPPainter* painter) {
  const QRect plot = m_axes->rect();
  for (const double x : {m_low, m_high}) {
    const double at = std::round(pixel(x)) + 0.5;
    drawLine(painter, QLineF(at, plot.top(), at, plot.bottom()), theme().accent);
    painter->setAntialiasing(true);
    painter->setPen(QPen(theme().halo, px(1)));
    painter->setBrush(theme().accent);
    const double top = plot.top() + kGripTop;
    painter->drawPolygon(QPolygonF{{at - kGrip, top}, {at + kGrip, top}, {at, top + 2 * kGrip}});
  }
}

}  // namespace qaq::views
