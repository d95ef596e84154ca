#pragma once

#include "views/plots/color_bar.h"
#include "views/plots/map_view.h"
#include "views/plots/outlier_marks.h"

namespace qaq::views {

class OutlierPane;

/// V2: the size of every value of one layer and head, channels down, tokens along x, on a
/// logarithmic scale; values kept exactly are marked.
class OutlierMapView : public MapView {
  Q_OBJECT

 public:
  explicit OutlierMapView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("outliers"); }
  QString title() const override { return tr("Outliers"); }
  /// The tokens of the slice.
  std::optional<Table> table() const override;

 protected:
  void present(const SharedSlice& slice) override;
  std::optional<Cursor> cursorOf(const MapPane* pane, int row, int column,
                                 const QPointF* click) const override;
  MarkedCell markOf(const MapPane* pane, const Cursor& cursor) const override;

 private:
  OutlierPane* m_pane;
  SharedSlice m_slice;
};

}  // namespace qaq::views
