#pragma once

#include <optional>

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// A cell of a map, or a whole column or row where only one of the two is known.
struct MarkedCell {
  std::optional<std::int64_t> row;
  std::optional<std::int64_t> column;
};

/// Where the pointer is, what is locked and what is pinned: hover is a thin crosshair; locked a
/// crosshair with a box around the cell; pinned a diamond on the cell, or at the top of its column.
/// Lies on a layer of its own, so that moving the pointer redraws no map.
class CursorMarks : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  void setHovered(const MarkedCell& cell) { m_hovered = cell; }
  void setLocked(const MarkedCell& cell) { m_locked = cell; }
  void setPinned(const MarkedCell& cell) { m_pinned = cell; }

 protected:
  void draw(QCPPainter* painter) override;

 private:
  void drawCross(QCPPainter* painter, const MarkedCell& cell, const QColor& color) const;
  void drawPin(QCPPainter* painter) const;

  MarkedCell m_hovered;
  MarkedCell m_locked;
  MarkedCell m_pinned;
};

/// How a pinned coordinate is marked, in every view: a diamond with a halo.
void drawDiamond(QPainter* painter, const QPointF& centre, const Theme& theme);

}  // namespace qaq::views
