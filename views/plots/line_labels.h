#pragma once

#include "core/analysis/chart.h"
#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// The name of every line and outline of a panel beside it, where it is farthest from the others.
class LineLabels : public PlotOverlay {
  Q_OBJECT

 public:
  LineLabels(QCPAxisRect* axes, const QString& layer) : PlotOverlay(axes, layer), m_axes(axes) {}
  /// Lines of a panel have their points at the same places of the x axis.
  /// `names` are written in place of theirs.
  void setPanel(const ChartPanel& panel, const QStringList& names = {});

 protected:
  void draw(QCPPainter* painter) override;

 private:
  QCPAxisRect* m_axes;
  QList<ChartSeries> m_lines;
  QStringList m_names;
};

}  // namespace qaq::views
