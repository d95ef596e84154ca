#pragma once

#include <qcustomplot.h>

#include "views/models/error_data.h"
#include "views/plots/cell_ticker.h"
#include "views/plots/cursor_marks.h"
#include "views/plots/line_labels.h"
#include "views/plots/pane_header.h"
#include "views/plots/plot_frame.h"
#include "views/plots/plot_message.h"
#include "views/plots/series_legend.h"

namespace qaq::views {

/// Errors by layer as lines over their bands, with the margins of a MapPane, so that layers stand
/// above those of a map below. A click or an arrow key chooses a layer.
class ErrorLines : public QCustomPlot {
  Q_OBJECT

 public:
  explicit ErrorLines(QWidget* parent = nullptr);

  void show(const SharedErrors& errors);
  void setMessage(const QString& text);
  void setTheme(const Theme& theme);
  void setUpdating(bool updating);
  void setCompact(bool compact);
  /// Layers of the model; none: no mark.
  void setHovered(const std::optional<std::int64_t>& layer);
  void setCurrent(const std::optional<std::int64_t>& layer);
  /// "layer 14: K 0.061 (0.024 to 0.11), V ...": means, 10 % and 90 %.
  QString layerText(std::int64_t layer) const;
  QString summary() const;

 signals:
  void layerHovered(std::optional<std::int64_t> layer);
  void layerClicked(std::int64_t layer);
  /// An arrow key.
  void layerStepped(int by);

 protected:
  void updateLayout() override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  void build();
  std::optional<std::int64_t> layerAt(const QPointF& position) const;

  PaneHeader* m_header;
  SeriesLegend* m_legend;
  CursorMarks* m_cursor;
  PlotFrame* m_frame;
  PlotMessage* m_message;
  LineLabels* m_labels;
  QSharedPointer<CellTicker> m_layers;
  SharedErrors m_errors;
  ChartPanel m_panel;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
