#include "views/panels/timeline.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLocale>
#include <QMouseEvent>
#include <QPainter>
#include <QToolButton>
#include <algorithm>
#include <cmath>

namespace qaq::views {
namespace {

constexpr Px<int> kSide{10};        // px beside the line, for the handle
constexpr Px<double> kLineY{20};    // px from the top
constexpr Px<double> kHandle{7};    // px of radius
constexpr Px<double> kTriangle{8};  // px of width
constexpr int kPage = 10;           // steps of Page Up and Page Down

}  // namespace

TimelineTrack::TimelineTrack(QWidget* parent) : QWidget(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  setCursor(Qt::PointingHandCursor);
  setAccessibleName(tr("Decode step"));
}

void TimelineTrack::setRange(int first, int last) {
  m_first = first;
  m_last = std::max(first, last);
  setStep(m_step);
}

void TimelineTrack::setStep(int step) {
  m_step = std::clamp(step, m_first, m_last);
  setAccessibleDescription(tr("step %1 of %2").arg(m_step).arg(m_last));
  update();
}

void TimelineTrack::setMarks(const QList<int>& steps) {
  m_marks = steps;
  update();
}

void TimelineTrack::setTheme(const Theme& theme) {
  m_theme = theme;
  update();
}

double TimelineTrack::xOf(int step) const {
  const double span = std::max(1, m_last - m_first);
  return kSide + (width() - 2 * kSide) * (step - m_first) / span;
}

int TimelineTrack::stepAt(double x) const {
  const double share = (x - kSide) / std::max(1, width() - 2 * kSide);
  const auto step = m_first + static_cast<int>(std::lround(share * (m_last - m_first)));
  return std::clamp(step, m_first, m_last);
}

void TimelineTrack::move(int step, bool isFinal) {
  step = std::clamp(step, m_first, m_last);
  // A release says once more where a drag went: what takes long begins then.
  if (step == m_step && !isFinal) return;
  setStep(step);
  emit moved(step, isFinal);
}

void TimelineTrack::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const double at = xOf(m_step);
  painter.setPen(QPen(m_theme.border, px(4), Qt::SolidLine, Qt::RoundCap));
  painter.drawLine(QPointF(kSide, kLineY), QPointF(width() - kSide, kLineY));
  painter.setPen(QPen(m_theme.accent, px(4), Qt::SolidLine, Qt::RoundCap));
  painter.drawLine(QPointF(kSide, kLineY), QPointF(at, kLineY));
  painter.setPen(Qt::NoPen);
  painter.setBrush(m_theme.violation);
  // Where they are many, one stands for its neighbours: a row without gaps would say nothing.
  double next = 0;
  for (const int mark : m_marks) {
    const double x = xOf(mark);
    if (x < next) continue;
    next = x + kTriangle + 1;
    painter.drawPolygon(QPolygonF({QPointF(x, 2), QPointF(x - kTriangle / 2, 2 + kTriangle),
                                   QPointF(x + kTriangle / 2, 2 + kTriangle)}));
  }
  painter.setPen(QPen(m_theme.accent, px(2)));
  painter.setBrush(m_theme.surface);
  painter.drawEllipse(QPointF(at, kLineY), kHandle, kHandle);
  if (hasFocus()) {
    painter.setBrush(Qt::NoBrush);
    painter.drawEllipse(QPointF(at, kLineY), kHandle + 3, kHandle + 3);
  }
}

void TimelineTrack::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) move(stepAt(event->position().x()), false);
}

void TimelineTrack::mouseMoveEvent(QMouseEvent* event) {
  if (event->buttons() & Qt::LeftButton) move(stepAt(event->position().x()), false);
}

void TimelineTrack::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) move(stepAt(event->position().x()), true);
}

void TimelineTrack::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Left:
      return move(m_step - 1, true);
    case Qt::Key_Right:
      return move(m_step + 1, true);
    case Qt::Key_PageUp:
      return move(m_step + kPage, true);
    case Qt::Key_PageDown:
      return move(m_step - kPage, true);
    case Qt::Key_Home:
      return move(m_first, true);
    case Qt::Key_End:
      return move(m_last, true);
    default:
      QWidget::keyPressEvent(event);
  }
}

Timeline::Timeline(QWidget* parent)
    : QWidget(parent),
      m_label(new QLabel),
      m_back(new QToolButton),
      m_next(new QToolButton),
      m_track(new TimelineTrack) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(12, 0, 12, 0);
  row->setSpacing(6);
  m_back->setText(QStringLiteral("‹"));
  m_back->setAccessibleName(tr("Previous step"));
  m_back->setToolTip(tr("Previous step"));
  m_next->setText(QStringLiteral("›"));
  m_next->setAccessibleName(tr("Next step"));
  m_next->setToolTip(tr("Next step"));
  m_track->setToolTip(
      tr("At step s the model reads the quantized cache of the s tokens before it"));
  row->addWidget(m_label);
  row->addWidget(m_back);
  row->addWidget(m_next);
  row->addWidget(m_track, 1);
  connect(m_back, &QToolButton::clicked, this, [this] { step(-1); });
  connect(m_next, &QToolButton::clicked, this, [this] { step(1); });
  connect(m_track, &TimelineTrack::moved, this, &Timeline::choose);
  refresh();
}

void Timeline::setCapture(const CaptureInfo& info, std::int64_t prefix) {
  m_tokens = static_cast<int>(info.n_tokens);
  m_track->setRange(1, m_tokens);
  m_track->setMarks({});
  setPrefix(prefix);
}

void Timeline::setPrefix(std::int64_t prefix) {
  m_track->setStep(prefix == 0 ? m_tokens : static_cast<int>(prefix));
  refresh();
}

void Timeline::setViolations(const std::vector<Violation>& violations) {
  // There may be far more violations than steps.
  std::vector<bool> isMarked(static_cast<std::size_t>(m_tokens) + 1);
  for (const Violation& violation : violations) {
    isMarked[static_cast<std::size_t>(violation.step)] = true;
  }
  QList<int> steps;
  for (int step = 0; step <= m_tokens; ++step) {
    if (isMarked[static_cast<std::size_t>(step)]) steps.push_back(step);
  }
  m_track->setMarks(steps);
}

void Timeline::setTheme(const Theme& theme) { m_track->setTheme(theme); }

void Timeline::step(int by) {
  const int step = std::clamp(m_track->step() + by, 1, m_tokens);
  if (step == m_track->step()) return;
  m_track->setStep(step);
  choose(step, true);
}

void Timeline::choose(int step, bool isFinal) {
  refresh();
  emit prefixChosen(step == m_tokens ? 0 : step, isFinal);
}

void Timeline::refresh() {
  const int step = m_track->step();
  m_label->setText(step == m_tokens ? tr("All %1 tokens").arg(QLocale().toString(m_tokens))
                                    : tr("Decode step %1 of %2").arg(step).arg(m_tokens - 1));
  // The longest text, so that the track does not move.
  m_label->setMinimumWidth(m_label->fontMetrics().horizontalAdvance(
                               tr("Decode step %1 of %2").arg(m_tokens).arg(m_tokens)) +
                           4);
  m_back->setEnabled(step > 1);
  m_next->setEnabled(step < m_tokens);
}

QString Timeline::text() const { return m_label->text(); }

}  // namespace qaq::views
