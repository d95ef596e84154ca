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
  std::int64_t m_n = 0;
  std::int64_t m_lastStep = 0;
};

}  // namespace qaq::views
