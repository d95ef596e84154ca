#pragma once

#include <optional>

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// A cell of a map, or a whole column or row where only one of the two is known.
struct MarkedCell {
  std::optional<std::int64_t> row;
  std::optional<std::int64_t> column;
};

/// Where the pointer is and what is locked: hover is a thin crosshair; locked a crosshair with a
/// box around the cell. Lies on a layer of its own, so that moving the pointer redraws no map.
class CursorMarks : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  void setHovered(const MarkedCell& cell) { m_hovered = cell; }
  void setLocked(const MarkedCell& cell) { m_locked = cell; }

 protected:
  void draw(QCPPainter* painter) override;

 private:
  void drawCross(QCPPainter* painter, const MarkedCell& cell, const QColor& color) const;

  MarkedCell m_hovered;
  MarkedCell m_locked;
};

}  // namespace qaq::views
