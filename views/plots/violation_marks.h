#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/analysis/violations.h"
#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// Violations as triangles with a halo, over their cell (step, token) unless placeOf() says
/// otherwise. Triangles do not lie on each
/// other and never bury the map: of those in sight the strongest are drawn, kMost at most. Zooming
/// in shows the others.
class ViolationMarks : public PlotOverlay {
  Q_OBJECT

 public:
  static constexpr int kMost = 60;

  using PlotOverlay::PlotOverlay;
  /// Strongest first.
  void setViolations(std::shared_ptr<const std::vector<Violation>> violations) {
    m_violations = std::move(violations);
  }
  /// The violation whose triangle is at most `reach` px from `position`.
  std::optional<Violation> nearest(const QPointF& position, double reach) const;

 protected:
  void draw(QCPPainter* painter) override;
  /// Where it lies, in cells of the map.
  virtual QPointF placeOf(const Violation& violation) const;

 private:
  QPointF centreOf(const Violation& violation, const CellFrame& cells) const;
  std::vector<Violation> drawn() const;

  std::shared_ptr<const std::vector<Violation>> m_violations;
};

/// The sign of a violation, centred on `centre`.
QPolygonF violationTriangle(const QPointF& centre, double size);

}  // namespace qaq::views
