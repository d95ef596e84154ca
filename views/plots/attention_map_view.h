#pragma once

#include "views/plots/attention_pane.h"
#include "views/plots/map_view.h"

namespace qaq::views {

/// V3: the attention of one layer and head, steps down, with violations of importance persistence
/// marked. The locked cell is put into words.
class AttentionMapView : public MapView {
  Q_OBJECT

 public:
  explicit AttentionMapView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("attention"); }
  QString title() const override { return tr("Attention"); }
  /// The scores of the slice, up to the diagonal.
  std::optional<Table> table() const override;

 protected:
  void present(const SharedSlice& slice) override;
  std::optional<Cursor> cursorOf(const MapPane* pane, int row, int column,
                                 const QPointF* click) const override;
  MarkedCell markOf(const MapPane* pane, const Cursor& cursor) const override;
  void lockChanged() override;

 private:
  AttentionPane* m_pane;
  SharedSlice m_slice;
};

/// The violation of token `token` at step `step` in the slice, the strongest if heads differ; null
/// if there is none.
const Violation* violationOf(const SliceMaps& slice, int step, int token);

/// "step 84 reads “vessel” (tok 56) with 0.85, 265 × its window maximum of 0.0032".
QString readingText(const SliceMaps& slice, int step, int token);

}  // namespace qaq::views
