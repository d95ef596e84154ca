#pragma once

#include <optional>
#include <vector>

#include "core/analysis/violations.h"
#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// Violations as triangles with a halo, over their cell (step, token). Where triangles would lie on
/// each other only the strongest is drawn.
class ViolationMarks : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  void setViolations(std::vector<Violation> violations);
  /// The violation whose triangle is at most `reach` px from `position`.
  std::optional<Violation> nearest(const QPointF& position, double reach) const;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  std::vector<Violation> m_violations;  ///< strongest first
};

/// The sign of a violation, centred on `centre`.
QPolygonF violationTriangle(const QPointF& centre, double size);

}  // namespace qaq::views
