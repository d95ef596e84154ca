#pragma once

#include "views/models/diagnosis_service.h"
#include "views/plots/painted_view.h"

namespace qaq::views {

/// A view of the capture's diagnosis: heading, and the picture below it. Where there is no
/// diagnosis it says how to get one; where it was made with another setting than the shown one, it
/// says so.
class DiagnosisView : public PaintedView {
  Q_OBJECT

 public:
  explicit DiagnosisView(SelectionModel* selection, QWidget* parent = nullptr);

  void show(const SharedSlice& slice) override;
  /// A diagnosis is of one setting and its whole cache.
  bool isOfBoth() const override { return true; }
  QSize figureSize() const override { return {760, 380}; }
  QString summary() const override;
  const SharedDiagnosis& result() const { return m_result; }

  /// What a view without a diagnosis says.
  static QString needsDiagnosis();
  /// Of one that was made with another setting.
  static QString oldText();

 protected:
  /// Beside the title.
  virtual QString subtitle() const = 0;
  /// Why this diagnosis has no such picture; empty: it has.
  virtual QString whyNone() const { return {}; }
  virtual void paintPicture(QPainter* painter, const QRectF& area) = 0;
  void paint(QPainter* painter, const QSize& size) final;
  /// Where paintPicture() paints, on the view.
  QRectF paintedArea() const;
  static QRectF areaOf(const QSize& size);
  const SharedSlice& slice() const { return m_slice; }

 private:
  bool isOld() const;

  SharedSlice m_slice;
  SharedDiagnosis m_result;
};

}  // namespace qaq::views
