#include "views/shell/target_mark.h"

#include <QPainter>

#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<int> kWidth{2};  // px

}  // namespace

TargetMark::TargetMark(QWidget* window) : QWidget(window) {
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setAttribute(Qt::WA_NoSystemBackground);
  hide();
}

void TargetMark::setTarget(QWidget* target, const QColor& color) {
  m_target = target && target->isVisible() ? target : nullptr;
  m_color = color;
  setVisible(m_target != nullptr);
  if (!m_target) return;
  setGeometry(QRect(m_target->mapTo(parentWidget(), QPoint()), m_target->size()));
  raise();
}

void TargetMark::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  QPen pen(m_color, kWidth);
  pen.setJoinStyle(Qt::MiterJoin);
  painter.setPen(pen);
  painter.drawRect(rect().adjusted(kWidth / 2, kWidth / 2, -kWidth / 2, -kWidth / 2));
}

}  // namespace qaq::views
