#pragma once

#include <vector>

#include "views/models/analysis.h"
#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// Values kept exactly, as white squares with a dark rim: 5 px or more, so that a lone one is seen
/// at every zoom; 3 px where they are many.
class OutlierMarks : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  void setCells(std::vector<SliceMaps::Cell> cells) { m_cells = std::move(cells); }

 protected:
  void draw(QCPPainter* painter) override;

 private:
  std::vector<SliceMaps::Cell> m_cells;
};

}  // namespace qaq::views
