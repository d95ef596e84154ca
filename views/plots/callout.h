#pragma once

#include "views/plots/heatmap_plottable.h"
#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// One sentence about one cell, in a corner of the plot, with a line to the cell. Needs 150 px of
/// plot height; below that the sentence is left to the inspector.
class Callout : public PlotOverlay {
  Q_OBJECT

 public:
  /// Keeps below the badge of `heatmap`.
  Callout(QCPAxisRect* axes, const QString& layer, const HeatmapPlottable* heatmap);
  /// An empty text hides it.
  void set(const QString& text, std::int64_t row, std::int64_t column);

 protected:
  void draw(QCPPainter* painter) override;

 private:
  const HeatmapPlottable* m_heatmap;
  QString m_text;
  std::int64_t m_row = 0;
  std::int64_t m_column = 0;
};

}  // namespace qaq::views
