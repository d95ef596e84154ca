#include "views/plots/jump_lines.h"

#include <cmath>

#include "core/base/text.h"
#include "views/plots/violation_marks.h"

namespace qaq::views {
namespace {

constexpr Px<double> kMargin{8}, kGap{5};  // px
constexpr Px<double> kSign{9}, kLine{1.6};
constexpr double kMostCorner = 0.75;  // of the plot's width

// A parameter as it was given.
QString plain(double number) { return QString::fromStdString(number_text(number)); }

}  // namespace

void JumpLines::set(const LogBins& bins, const ViolationParams& params, const QString& corner) {
  m_bins = bins;
  m_params = params;
  m_corner = corner;
}

QLineF JumpLines::ratioLine(double ratio) const {
  const CellFrame cells = frame();
  // One decade of the ratio is a decade of bins upwards.
  const double up = LogBins::kADecade * std::log10(ratio), n = m_bins.size();
  return {cells.x(0), cells.y(n - up), cells.x(n), cells.y(-up)};
}

void JumpLines::drawLabel(QCPPainter* painter, const QString& text, QPointF at,
                          const QColor& color) const {
  QPainterPath path;
  path.addText(at, Theme::font(Theme::kTickPx), text);
  painter->setAntialiasing(true);
  painter->setPen(QPen(theme().halo, px(3)));
  painter->setBrush(Qt::NoBrush);
  painter->drawPath(path);
  painter->setPen(Qt::NoPen);
  painter->setBrush(color);
  painter->drawPath(path);
}

void JumpLines::draw(QCPPainter* painter) {
  if (m_bins.size() == 0) return;
  const CellFrame cells = frame();
  const QRectF plot = cells.plot();
  const QFontMetricsF metrics(Theme::font(Theme::kTickPx));
  const auto stroke = [&](const QLineF& line, const QColor& color, Qt::PenStyle style) {
    painter->setAntialiasing(line.dy() != 0);
    painter->setPen(QPen(theme().halo, px(3)));
    painter->drawLine(line);
    painter->setPen(QPen(color, kLine, style));
    painter->drawLine(line);
  };
  const QLineF even = ratioLine(1), jump = ratioLine(m_params.violation_ratio);
  stroke(even, theme().text, Qt::SolidLine);
  stroke(jump, theme().violation, Qt::DashLine);
  // Beside the lower ends of the lines there are few pairs to hide.
  const auto crossing = [](const QLineF& line, double y) {
    return line.x1() + (y - line.y1()) / line.dy() * line.dx();
  };
  const double low = plot.bottom() - 0.18 * plot.height();
  drawLabel(painter, tr("ratio 1"), QPointF(crossing(even, low) + kGap, low + metrics.ascent()),
            theme().text);
  const QString jumpText = tr("ratio %1").arg(plain(m_params.violation_ratio));
  const double middle = plot.bottom() - 0.42 * plot.height();
  const double left = crossing(jump, middle) - kGap - metrics.horizontalAdvance(jumpText);
  if (left > plot.left() + 2) {
    drawLabel(painter, jumpText, QPointF(left, middle), theme().violation);
  }
  if (m_params.violation_floor > 0) {
    const double y = std::round(cells.y(row(m_params.violation_floor)));
    if (y > plot.top() && y < plot.bottom()) {
      stroke(QLineF(plot.left(), y, plot.right(), y), theme().violation, Qt::DotLine);
      drawLabel(painter, tr("floor %1").arg(plain(m_params.violation_floor)),
                QPointF(plot.left() + kMargin, y + metrics.ascent() + 2), theme().violation);
    }
  }
  // In the corner of what lost its worth: there is no triangle to hide.
  QRectF box(QPointF(), QSizeF(metrics.horizontalAdvance(m_corner) + kSign + kGap + 2 * kMargin,
                               metrics.height() + kMargin));
  // Where it would hide much of the plot, the table's heading says it.
  if (box.width() > kMostCorner * plot.width()) return;
  box.moveBottomRight(plot.bottomRight() + QPointF(-6, -6));
  QColor back = theme().surface;
  back.setAlphaF(0.92f);
  painter->setAntialiasing(false);
  painter->setPen(QPen(theme().border, px(1)));
  painter->setBrush(back);
  painter->drawRect(box.toAlignedRect());
  const QPointF sign(box.left() + kMargin + kSign / 2, box.center().y());
  painter->setAntialiasing(true);
  painter->setPen(Qt::NoPen);
  painter->setBrush(theme().violation);
  painter->drawPolygon(violationTriangle(sign, kSign));
  painter->setFont(Theme::font(Theme::kTickPx));
  painter->setPen(theme().violation);
  painter->drawText(box.adjusted(kMargin + kSign + kGap, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter,
                    m_corner);
}

}  // namespace qaq::views
