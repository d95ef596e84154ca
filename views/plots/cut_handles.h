#pragma once

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// Two vertical lines with a grip each: below which and above which numbers are outliers.
class CutHandles : public PlotOverlay {
  Q_OBJECT

 public:
  CutHandles(QCPAxisRect* axes, const QString& layer) : PlotOverlay(axes, layer), m_axes(axes) {}

  void setCut(double low, double high);
  double low() const { return m_low; }
  double high() const { return m_high; }
  /// The number under a handle that is at a place of the plot; nothing where there is none.
  std::optional<double> at(const QPointF& position) const;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  double pixel(double x) const;

  QCPAxisRect* m_axes;
  double m_low = 0, m_high = 0;
};

}  // namespace qaq::views
