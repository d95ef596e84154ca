#pragma once

#include "views/plots/chart_plot.h"
#include "views/plots/plot_view.h"

class QLabel;
class QStackedLayout;
class QVBoxLayout;

namespace qaq::views {

/// A view of one chart of core's. Derive, and hand the chart to setChart() when it is made.
class ChartView : public PlotView {
  Q_OBJECT

 public:
  explicit ChartView(SelectionModel* selection, QWidget* parent = nullptr);

  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  void setUpdating(bool updating) override;
  QSize figureSize() const override { return m_plot->sizeHint(); }
  void paintFigure(QCPPainter* painter, const QSize& size) override;
  QString error() const override { return m_message; }
  QString summary() const override;

  ChartPlot* plot() const { return m_plot; }

 protected:
  void setChart(const Chart& chart);
  /// Above the chart: switches of the view.
  void addControls(QWidget* controls);
  const Theme& theme() const { return m_theme; }

  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  QVBoxLayout* m_column;
  QStackedLayout* m_pages;
  ChartPlot* m_plot;
  QLabel* m_text;
  QLabel* m_state;
  QString m_message;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
