#include "views/plots/diagnosis_view.h"

#include <QPainter>

#include "views/plots/diagnosis_text.h"
#include "views/plots/px.h"

namespace qaq::views {
namespace {

constexpr Px<double> kSide{14}, kTop{8}, kHeading{20}, kLine{18}, kBelow{6};  // px

}  // namespace

DiagnosisView::DiagnosisView(SelectionModel* selection, QWidget* parent)
    : PaintedView(selection, parent) {
  setMessage(needsDiagnosis());
}

QString DiagnosisView::needsDiagnosis() {
  return tr(
      "No diagnosis yet. “Diagnose…” in the menu Diagnose runs the model and says which "
      "predictions this setting breaks, where and why.");
}

QString DiagnosisView::oldText() { return tr("▲ made with an older setting"); }

void DiagnosisView::show(const SharedSlice& slice) {
  m_slice = slice;
  m_result = slice->diagnosis;
  if (!m_result) {
    setMessage(needsDiagnosis());
  } else if (const QString why = whyNone(); !why.isEmpty()) {
    setMessage(why);
  } else {
    pictureChanged();
  }
}

bool DiagnosisView::isOld() const { return !m_result->isOf(m_slice->analysis->params); }

QRectF DiagnosisView::areaOf(const QSize& size) {
  const double top = kTop + kHeading + kLine + kBelow;
  return {0, top, static_cast<double>(size.width()), size.height() - top};
}

QRectF DiagnosisView::paintedArea() const {
  return areaOf(pictureArea().size()).translated(pictureArea().topLeft());
}

void DiagnosisView::paint(QPainter* painter, const QSize& size) {
  if (!m_result) return;
  const QRectF line(kSide, kTop, size.width() - 2 * kSide, kHeading);
  painter->setFont(Theme::font(Theme::kTitlePx, true));
  painter->setPen(theme().text);
  painter->drawText(line, Qt::AlignLeft | Qt::AlignVCenter, title());
  painter->setFont(Theme::font(Theme::kLabelPx));
  if (isOld()) {
    painter->setPen(theme().warning);
    painter->drawText(line, Qt::AlignRight | Qt::AlignVCenter, oldText());
  }
  painter->setPen(theme().muted);
  const QFontMetricsF metrics(painter->font());
  painter->drawText(line.translated(0, kHeading), Qt::AlignLeft | Qt::AlignVCenter,
                    metrics.elidedText(subtitle(), Qt::ElideRight, line.width()));
  paintPicture(painter, areaOf(size));
}

QString DiagnosisView::summary() const {
  if (!error().isEmpty() || !m_result) return error();
  return summaryText(*m_result);
}

}  // namespace qaq::views
