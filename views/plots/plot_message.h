#pragma once

#include "views/plots/plot_overlay.h"

namespace qaq::views {

/// A sentence in an empty plot: what is missing and what helps.
class PlotMessage : public PlotOverlay {
  Q_OBJECT

 public:
  using PlotOverlay::PlotOverlay;
  void setText(const QString& text) { m_text = text; }
  const QString& text() const { return m_text; }

 protected:
  void draw(QCPPainter* painter) override;

 private:
  QString m_text;
};

}  // namespace qaq::views
