#pragma once

#include "views/plots/diagnosis_view.h"

namespace qaq::views {

/// What broke: KL of each prediction behind the quantized prefix as a bar. A triangle: the top
/// token changed; a ring: it did where the whole cache was undecided; a box: the explained step,
/// with what was expected and what came.
class BrokeView : public DiagnosisView {
  Q_OBJECT

 public:
  using DiagnosisView::DiagnosisView;

  QString id() const override { return QStringLiteral("broke"); }
  QString title() const override { return tr("What broke"); }
  std::optional<Table> table() const override;

  /// The step that is looked at.
  void setStep(int step);
  int step() const { return m_step; }
  /// Where a step's bar stands on the view.
  QRectF barOf(int step) const;

 signals:
  void stepChosen(int step);

 protected:
  QString subtitle() const override;
  void paintPicture(QPainter* painter, const QRectF& area) override;
  void mousePressEvent(QMouseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  bool event(QEvent* event) override;

 private:
  struct Plot;
  Plot plotIn(const QRectF& area) const;
  void paintScale(QPainter* painter, const Plot& plot) const;
  void paintNames(QPainter* painter, const Plot& plot) const;
  void paintCallout(QPainter* painter, const Plot& plot) const;
  std::optional<int> stepAt(const QPointF& position) const;

  int m_step = -1;
};

}  // namespace qaq::views
