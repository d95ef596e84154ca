#pragma once

#include "views/plots/bit_pane.h"
#include "views/plots/map_view.h"

namespace qaq::views {

/// V1: the bits of every token, layer and KV head; keys at the left, values at the right.
class BitMapView : public MapView {
  Q_OBJECT

 public:
  explicit BitMapView(SelectionModel* selection, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("bits"); }
  QString title() const override { return tr("Bits"); }
  /// Every cell of both caches.
  std::optional<Table> table() const override;
  BitPane* pane(CacheSide side) const { return side == CacheSide::key ? m_key : m_value; }

 protected:
  void present(const SharedSlice& slice) override;
  std::optional<Cursor> cursorOf(const MapPane* pane, int row, int column,
                                 const QPointF* click) const override;
  MarkedCell markOf(const MapPane* pane, const Cursor& cursor) const override;

 private:
  BitPane* m_key;
  BitPane* m_value;
  SharedAnalysis m_analysis;
};

}  // namespace qaq::views
