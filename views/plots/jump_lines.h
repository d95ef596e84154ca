#pragma once

#include "core/analysis/importance_pairs.h"
#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// On the histogram of pairs: the line of equal worth (ratio 1), that of violation_ratio and that
/// of violation_floor. What lies above the latter two are the violations, whose number is
/// written in the corner opposite.
class JumpLines : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  void set(const LogBins& bins, const ViolationParams& params, const QString& corner);
  /// Where a number of fair shares lies, in cells of the map.
  double column(double windowMax) const { return m_bins.place(windowMax); }
  double row(double score) const { return m_bins.size() - m_bins.place(score); }

 protected:
  void draw(QCPPainter* painter) override;

 private:
  /// score = ratio * window maximum, in pixels, through the plot.
  QLineF ratioLine(double ratio) const;
  void drawLabel(QCPPainter* painter, const QString& text, QPointF at, const QColor& color) const;

  LogBins m_bins;
  ViolationParams m_params;
  QString m_corner;
};

}  // namespace qaq::views
