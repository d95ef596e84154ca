#pragma once

#include "views/plots/heatmap_plottable.h"
#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// In the upper right corner of a map whose cells share pixels: which reduction is shown, over how
/// many cells ("max of 3 × 2 cells"). Above all marks.
class Badge : public PlotOverlay {
  Q_OBJECT

 public:
  Badge(QCPAxisRect* axes, const QString& layer, const HeatmapPlottable* heatmap);

 protected:
  void draw(QCPPainter* painter) override;

 private:
  const HeatmapPlottable* m_heatmap;
};

}  // namespace qaq::views
