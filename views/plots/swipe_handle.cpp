#include "views/plots/swipe_handle.h"

#include <QMouseEvent>
#include <cmath>

#include "core/analysis/chart.h"

namespace qaq::views {
namespace {

constexpr int kThousand = 1000, kStep = 10, kPage = 100;
constexpr double kGripWidth = 9, kGripHeight = 26, kLetterGap = 8;  // px

}  // namespace

double SwipeDivider::x() const {
  const QRectF plot = frame().plot();
  return plot.left() + std::round(m_share * plot.width());
}

void SwipeDivider::draw(QCPPainter* painter) {
  if (!m_shown) return;
  const QRectF plot = frame().plot();
  const double at = x();
  drawLine(painter, QLineF(at, plot.top(), at, plot.bottom()), theme().text);
  painter->setAntialiasing(true);
  QRectF grip(0, 0, kGripWidth, kGripHeight);
  grip.moveCenter(QPointF(at, plot.center().y()));
  painter->setPen(QPen(theme().text, 1));
  painter->setBrush(theme().surface);
  painter->drawRoundedRect(grip, 3, 3);
  for (const double side : {-1.5, 1.5}) {
    painter->drawLine(QLineF(at + side, grip.center().y() - 5, at + side, grip.center().y() + 5));
  }
  const QFont font = Theme::font(Theme::kTitlePx, true);
  const QFontMetricsF metrics(font);
  const auto& categories = theme().palette().categories();
  for (const int letter : {kComparedA, kComparedB}) {
    const QString text = letter == kComparedA ? QStringLiteral("A") : QStringLiteral("B");
    const double left =
        letter == kComparedA ? at - kLetterGap - metrics.horizontalAdvance(text) : at + kLetterGap;
    QPainterPath path;
    path.addText(left, plot.bottom() - kLetterGap, font, text);
    painter->setPen(QPen(theme().halo, 4));
    painter->setBrush(Qt::NoBrush);
    painter->drawPath(path);
    painter->setPen(Qt::NoPen);
    painter->setBrush(QColor(categories.at(static_cast<std::size_t>(letter)).color));
    painter->drawPath(path);
  }
}

SwipeHandle::SwipeHandle(QWidget* pane) : QAbstractSlider(pane) {
  setOrientation(Qt::Horizontal);
  setRange(0, kThousand);
  setSingleStep(kStep);
  setPageStep(kPage);
  setValue(kThousand / 2);
  setFocusPolicy(Qt::StrongFocus);
  setCursor(Qt::SplitHCursor);
  setAccessibleName(tr("Divider of A, left, and B, right"));
  setToolTip(tr("A is left, B right: drag, or use the arrow keys"));
}

void SwipeHandle::setPlot(const QRect& plot) {
  m_plot = plot;
  place();
}

void SwipeHandle::setTheme(const Theme& theme) {
  m_theme = theme;
  update();
}

void SwipeHandle::place() {
  const int x = m_plot.left() + static_cast<int>(std::lround(share() * m_plot.width()));
  setGeometry(x - SwipeDivider::kReach, m_plot.top(), 2 * SwipeDivider::kReach + 1,
              m_plot.height());
}

void SwipeHandle::sliderChange(SliderChange change) {
  QAbstractSlider::sliderChange(change);
  place();
}

void SwipeHandle::paintEvent(QPaintEvent*) {
  if (!hasFocus()) return;
  QPainter painter(this);
  painter.setPen(QPen(m_theme.accent, 2));
  painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

void SwipeHandle::mousePressEvent(QMouseEvent* event) {
  event->setAccepted(event->button() == Qt::LeftButton);
}

void SwipeHandle::mouseMoveEvent(QMouseEvent* event) {
  if (!(event->buttons() & Qt::LeftButton) || m_plot.isEmpty()) return;
  const double x = mapToParent(event->position()).x() - m_plot.left();
  setValue(static_cast<int>(std::lround(x / m_plot.width() * kThousand)));
}

// The map below zooms.
void SwipeHandle::wheelEvent(QWheelEvent* event) { event->ignore(); }

}  // namespace qaq::views
