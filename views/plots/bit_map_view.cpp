#include "views/plots/bit_map_view.h"

#include <algorithm>

#include "core/analysis/tables.h"
#include "core/replay/captured_layers.h"

namespace qaq::views {

BitMapView::BitMapView(SelectionModel* selection, QWidget* parent)
    : MapView(selection, parent),
      m_key(new BitPane(CacheSide::key)),
      m_value(new BitPane(CacheSide::value)) {
  addPane(m_key);
  addPane(m_value);
}

void BitMapView::present(const SharedSlice& slice) {
  if (slice->analysis == m_analysis) return;
  m_analysis = slice->analysis;
  m_key->show(*m_analysis);
  m_value->show(*m_analysis);
}

std::optional<Cursor> BitMapView::cursorOf(const MapPane* pane, int row, int column,
                                           const QPointF*) const {
  const CaptureInfo& info = m_analysis->capture->info();
  const auto n_kv_heads = static_cast<int>(info.shape.n_kv_heads);
  const auto layer = captured_index(info.layers, row / n_kv_heads);
  if (!layer) return std::nullopt;
  return Cursor{.side = static_cast<const BitPane*>(pane)->side(),
                .layer = *layer,
                .kvHead = row % n_kv_heads,
                .token = column};
}

MarkedCell BitMapView::markOf(const MapPane*, const Cursor& cursor) const {
  if (!m_analysis) return {};
  const CaptureInfo& info = m_analysis->capture->info();
  if (cursor.layer >= info.n_captured_layers()) return {};  // of a capture that is being opened
  const std::int64_t layer = info.layers[static_cast<std::size_t>(cursor.layer)];
  return {.row = layer * info.shape.n_kv_heads + cursor.kvHead, .column = cursor.token};
}

std::optional<Table> BitMapView::table() const {
  if (!m_analysis) return std::nullopt;
  return bits_table(m_analysis->replay, m_analysis->capture->info());
}

}  // namespace qaq::views
