#pragma once

#include "core/analysis/comparison_chart.h"
#include "views/models/derived.h"
#include "views/plots/chart_view.h"
#include "views/plots/choice_switch.h"

namespace qaq::views {

/// Errors of A and B as two lines over steps or layers, in the colours, signs and strokes of their
/// letters.
class OverlayView : public ChartView {
  Q_OBJECT

 public:
  explicit OverlayView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("overlay"); }
  QString title() const override { return tr("Errors of A and B"); }
  bool isOfBoth() const override { return true; }
  bool isReady() const override { return m_made.isReady(); }
  void show(const SharedSlice& slice) override;
  void setMessage(const QString& text) override;
  std::optional<Table> table() const override;
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;

  void setLines(ComparedLines lines);
  ComparedLines lines() const { return m_lines; }

 private:
  void draw();

  ChoiceSwitch* m_switch;
  ComparedLines m_lines = ComparedLines::output;
  SharedSlice m_slice;    ///< the last whole one
  Derived<Chart> m_made;  // last: it uses all of the above
};

}  // namespace qaq::views
