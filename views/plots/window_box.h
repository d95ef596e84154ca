#pragma once

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// The rows of attention that decide the value's bits: a box around the last n rows of the prefix.
class WindowBox : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  /// Rows [lastStep - n + 1, lastStep]; n = 0: no box.
  void setRows(std::int64_t n, std::int64_t lastStep);

 protected:
  void draw(QCPPainter* painter) override;

 private:
  friend class WindowLabel;
  QRectF box() const;

  std::int64_t m_n = 0;
  std::int64_t m_lastStep = 0;
};

/// "window, n = 5" with a line to the box, above all other marks.
class WindowLabel : public PlotOverlay {
  Q_OBJECT

 public:
  WindowLabel(QCPAxisRect* axes, const QString& layer, const WindowBox* box)
      : PlotOverlay(axes, layer), m_box(box) {}

 protected:
  void draw(QCPPainter* painter) override;

 private:
  const WindowBox* m_box;
};

}  // namespace qaq::views
