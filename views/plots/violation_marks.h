#pragma once

#include <optional>

#include "views/models/analysis.h"
#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// Violations as triangles with a halo, over their cell (step, token). Triangles do not lie on each
/// other and never bury the map: of those in sight the strongest are drawn, kMost at most. Zooming
/// in shows the others.
class ViolationMarks : public PlotOverlay {
  Q_OBJECT

 public:
  static constexpr int kMost = 60;

  using PlotOverlay::PlotOverlay;
  void setSlice(SharedSlice slice) { m_slice = std::move(slice); }
  /// The violation whose triangle is at most `reach` px from `position`.
  std::optional<Violation> nearest(const QPointF& position, double reach) const;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  std::vector<Violation> drawn() const;

  SharedSlice m_slice;
};

/// The sign of a violation, centred on `centre`.
QPolygonF violationTriangle(const QPointF& centre, double size);

}  // namespace qaq::views
