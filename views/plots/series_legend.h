#pragma once

#include "core/analysis/chart.h"
#include "views/plots/pane_footer.h"

namespace qaq::views {

/// The named series of a panel with their signs, and below them what they are.
class SeriesLegend : public PaneFooter {
  Q_OBJECT

 public:
  using PaneFooter::PaneFooter;

  /// Of the explanations, longest first, the first that fits is written.
  void set(const ChartPanel& panel, const QStringList& explanations);
  QString text() const override;

 protected:
  void draw(QCPPainter* painter) override;

 private:
  ChartPanel m_panel;
  QStringList m_explanations;
};

}  // namespace qaq::views
