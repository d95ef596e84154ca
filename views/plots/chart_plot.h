#pragma once

#include <qcustomplot.h>

#include "core/analysis/chart.h"
#include "views/plots/chart_legend.h"
#include "views/plots/chart_text.h"
#include "views/plots/figure_page.h"

namespace qaq::views {

/// A chart: title, legend, panels in a grid, notes. The same object draws to the screen and into
/// figures.
class ChartPlot : public QCustomPlot {
  Q_OBJECT

 public:
  explicit ChartPlot(QWidget* parent = nullptr);

  /// The chart's points are there.
  void setChart(const Chart& chart);
  void setTheme(const Theme& theme);

  const Chart& chart() const { return m_chart; }
  const QList<QCPAxisRect*>& panels() const { return m_panels; }
  const ChartLegend* chartLegend() const { return m_legend; }
  /// What lies above and below the panels.
  const ChartText* heading() const { return m_heading; }
  const ChartText* notes() const { return m_notes; }
  /// The size at which it is drawn best.
  QSize sizeHint() const override;
  /// Where a layout asks for it: room for the texts, and panels that are wider than high.
  int heightForWidth(int width) const override;

 protected:
  void updateLayout() override;

 private:
  void build();
  void addPanel(QCPLayoutGrid* grid, int index);
  void fitTexts(int width);

  Chart m_chart;
  Theme m_theme = Theme::of(ThemeKind::light);
  QList<QCPAxisRect*> m_panels;
  QList<QCPMarginGroup*> m_margins;  ///< panels one below the other begin alike
  ChartText* m_heading = nullptr;
  ChartText* m_notes = nullptr;
  ChartLegend* m_legend = nullptr;
};

/// The chart as a picture or a page. `plot` must outlive it.
FigurePage chartPage(ChartPlot& plot, FigureStyle style);

}  // namespace qaq::views
