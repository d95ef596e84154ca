#pragma once

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// The plot's frame, drawn outside the map so that it covers none of its pixels. While a newer
/// picture is being made, the old one lies under a sparse hatch.
class PlotFrame : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  void setUpdating(bool updating) { m_updating = updating; }

 protected:
  QRect clipRect() const override { return PlotOverlay::clipRect().adjusted(-1, -1, 1, 1); }
  void draw(QCPPainter* painter) override;

 private:
  bool m_updating = false;
};

}  // namespace qaq::views
