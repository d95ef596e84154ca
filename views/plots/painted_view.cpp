#include "views/plots/painted_view.h"

#include <QVBoxLayout>
#include <qcustomplot.h>

namespace qaq::views {
namespace {

constexpr int kFrame = 1;
constexpr Px<int> kMargin{16};

}  // namespace

PaintedView::PaintedView(SelectionModel* selection, QWidget* parent)
    : PlotView(selection, parent), m_column(new QVBoxLayout(this)) {
  m_column->setContentsMargins(kFrame, kFrame, kFrame, kFrame);
  m_column->addStretch(1);
  setFocusPolicy(Qt::StrongFocus);
}

void PaintedView::addControls(QWidget* controls) {
  m_controls = controls;
  m_column->insertWidget(0, controls);
}

QRect PaintedView::pictureArea() const {
  const int top = m_controls ? m_controls->geometry().bottom() + 1 : kFrame;
  return rect().adjusted(kFrame, top, -kFrame, -kFrame);
}

void PaintedView::pictureChanged() {
  m_message.clear();
  setAccessibleName(title());
  setAccessibleDescription(summary());
  update();
}

void PaintedView::setMessage(const QString& text) {
  m_message = text;
  setAccessibleDescription(text);
  update();
}

void PaintedView::setTheme(const Theme& theme) {
  m_theme = theme;
  update();
}

void PaintedView::setUpdating(bool updating) {
  m_updating = updating;
  update();
}

void PaintedView::paintFigure(QCPPainter* painter, const QSize& size) { paint(painter, size); }

void PaintedView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), m_theme.surface);
  painter.setPen(m_theme.border);
  painter.drawRect(rect().adjusted(0, 0, -1, -1));
  painter.setFont(Theme::font(Theme::kLabelPx));
  const QRect area = pictureArea();
  if (!m_message.isEmpty()) {
    painter.setPen(m_theme.muted);
    painter.drawText(area.adjusted(kMargin, kMargin, -kMargin, -kMargin),
                     Qt::AlignCenter | Qt::TextWordWrap, m_message);
    return;
  }
  painter.save();
  painter.setClipRect(area);
  painter.translate(area.topLeft());
  paint(&painter, area.size());
  painter.restore();
  if (!m_updating) return;
  painter.setPen(m_theme.muted);
  painter.drawText(rect().adjusted(0, 8, -12, 0), Qt::AlignRight | Qt::AlignTop, tr("updating"));
}

}  // namespace qaq::views
