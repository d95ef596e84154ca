#include "views/plots/outlier_map_view.h"

#include "core/analysis/tables.h"
#include "views/plots/outlier_pane.h"

namespace qaq::views {

OutlierMapView::OutlierMapView(SelectionModel* selection, QWidget* parent)
    : MapView(selection, parent), m_pane(new OutlierPane) {
  addPane(m_pane);
}

void OutlierMapView::present(const SharedSlice& slice) {
  m_slice = slice;
  m_pane->show(*slice);
}

std::optional<Cursor> OutlierMapView::cursorOf(const MapPane*, int row, int column,
                                               const QPointF*) const {
  const Slice& slice = m_slice->slice;
  return Cursor{.side = slice.side,
                .layer = slice.layer,
                .kvHead = slice.kvHead,
                .token = column,
                .channel = row};
}

MarkedCell OutlierMapView::markOf(const MapPane*, const Cursor& cursor) const {
  MarkedCell mark{.row = {}, .column = cursor.token};
  if (cursor.channel != Cursor::kNone) mark.row = cursor.channel;
  return mark;
}

std::optional<Table> OutlierMapView::table() const {
  // Which were kept exactly is known a stage after the bits.
  if (!m_slice || m_slice->analysis->stage < Analysis::Stage::errors) return std::nullopt;
  const Slice& slice = m_slice->slice;
  return outliers_table(m_slice->analysis->replay, m_slice->analysis->capture->info(),
                        TableHead{slice.side, slice.layer, slice.kvHead});
}

}  // namespace qaq::views
