#pragma once

#include <QRubberBand>
#include <optional>
#include <qcustomplot.h>

#include "views/plots/cell_ticker.h"
#include "views/plots/cursor_marks.h"
#include "views/plots/heatmap_plottable.h"
#include "views/plots/pane_footer.h"
#include "views/plots/pane_header.h"
#include "views/plots/plot_frame.h"
#include "views/plots/plot_message.h"
#include "views/plots/reducer_button.h"
#include "views/plots/selection_marks.h"

namespace qaq::views {

/// What runs along an axis of a map. Axes of one kind move together on a page.
enum class AxisKind { none, token, step, layer, channel };

/// One plot of a heatmap: header, map with fixed margins, legend. The same object draws to the
/// screen and into figures. Wheel zooms, dragging pans, both inside the map; a click that does not
/// drag, the pointer and the arrow keys are signalled in cells. With Shift, Ctrl or Alt, or while
/// the box tool is on, dragging draws a box instead, which is signalled, too.
class MapPane : public QCustomPlot {
  Q_OBJECT

 public:
  static constexpr Px<int> kLeftMargin = PaneFooter::kLeft;
  static constexpr Px<int> kRightMargin = PaneFooter::kRight;

  explicit MapPane(QWidget* parent = nullptr);

  /// Shows the whole map when its size differs from the last one's, else keeps the zoom.
  void setMap(const SharedHeatmap& map, const ColorMap& colors);
  /// An empty plot with a sentence.
  virtual void setMessage(const QString& text);
  void setAxisLabels(const QString& x, const QString& y);
  void setAxisKinds(AxisKind x, AxisKind y);
  AxisKind xKind() const { return m_xKind; }
  AxisKind yKind() const { return m_yKind; }
  /// Rows of an index of the y axis: a layer has one for each KV head.
  int rowsPerIndex() const { return m_yTicker->groupSize(); }
  /// `subtitles`: wordings, longest first; the pane adds the reducer.
  void setHeadings(const QString& title, const QStringList& subtitles);
  /// How cells that share a pixel become one: of this view, whatever map it shows. The user chooses
  /// with the button in the header.
  void setReducer(Reducer reducer);
  Reducer reducer() const { return m_heatmap->reducer(); }
  /// Another one than the pane began with.
  bool hasChosenReducer() const { return m_ownReducer && *m_ownReducer != reducer(); }
  /// The scale of maps of values.
  void setValueColors(ValueColors colors);
  ValueColors valueColors() const { return m_valueColors; }
  void resetZoom();
  /// Less than the whole map is in sight.
  bool isZoomed() const;
  virtual void setTheme(const Theme& theme);
  /// A newer result is being made: the present picture stays, marked as old.
  void setUpdating(bool updating);
  /// The label of the x axis may be left out where the pane below has the same.
  void setXLabelShown(bool shown);
  void setCompact(bool compact);

  void setHovered(const MarkedCell& cell);
  void setLocked(const MarkedCell& cell);
  void setPinned(const MarkedCell& cell);
  void setSelected(std::vector<CellBlock> blocks);
  /// What a filter leaves out.
  void setVeiled(std::vector<CellBlock> blocks);
  void setBoxTool(bool on) { m_boxTool = on; }

  const SelectionMarks* selectionMarks() const { return m_selection; }
  HeatmapPlottable* heatmap() const { return m_heatmap; }
  PaneHeader* header() const { return m_header; }
  PaneFooter* footer() const { return m_footer; }
  const QString& message() const { return m_message->text(); }
  /// What is shown, in one sentence.
  QString summary() const;
  virtual bool isSettled() const { return m_heatmap->isSettled(); }
  /// Pixels, of the widget, of a cell's middle.
  QPointF cellCentre(std::int64_t row, std::int64_t column) const;

 signals:
  void cellHovered(int row, int column);
  void cellLeft();
  void cellClicked(int row, int column, const QPointF& position, Qt::KeyboardModifiers modifiers);
  void boxDragged(const qaq::views::CellBlock& block, Qt::KeyboardModifiers modifiers);
  /// An arrow key: where the cursor should move; with Shift it extends what is selected.
  void cursorStepped(int rows, int columns, bool extends);
  void reducerChanged(Reducer reducer);
  void valueColorsChanged(ValueColors colors);

 protected:
  static constexpr const char* kMarksLayer = "marks";
  static constexpr const char* kLabelsLayer = "labels";  ///< above the crosshair

  /// In place of the one before, which stays with the pane.
  void setFooter(PaneFooter* footer);
  /// Takes the fixed margins again.
  void applyMargins();
  /// px above the map: 10, or more where something is drawn there.
  void setTopMargin(int px);
  /// `overlay` follows the theme; it belongs to the plot.
  void addOverlay(PlotOverlay* overlay);
  CellTicker& xTicker() { return *m_xTicker; }
  CellTicker& yTicker() { return *m_yTicker; }
  /// Tells assistive tools what is shown.
  void describe();

  void updateLayout() override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;

 private:
  struct CellIndex {
    int row, column;
  };
  std::optional<CellIndex> cellAt(const QPointF& position) const;
  /// Cells that a rubber band between two corners touches.
  std::optional<CellBlock> blockOf(const QPointF& from, const QPointF& to) const;
  bool drawsBox(const QMouseEvent& event) const;
  void endBox(QMouseEvent* event);
  void setUpAxes();
  void keepInside(QCPAxis* axis, std::int64_t count);
  void applyHeadings();
  void applyColors();
  void placeButton();

  PaneHeader* m_header;
  ReducerButton* m_button;
  PaneFooter* m_footer = nullptr;
  HeatmapPlottable* m_heatmap;
  SelectionMarks* m_selection;
  CursorMarks* m_cursor;
  PlotFrame* m_frame;
  PlotMessage* m_message;
  QSharedPointer<CellTicker> m_xTicker, m_yTicker;
  QList<PlotOverlay*> m_overlays;
  Theme m_theme = Theme::of(ThemeKind::light);
  ValueColors m_valueColors = ValueColors::viridis;
  std::optional<Reducer> m_ownReducer;  ///< that the first map was shown with
  QString m_title;
  QStringList m_subtitles;
  QString m_xLabel;
  AxisKind m_xKind = AxisKind::none, m_yKind = AxisKind::none;
  bool m_xLabelShown = true;
  bool m_compact = false;
  int m_topMargin = 10;
  bool m_ring = false;  ///< the keyboard brought the focus here
  bool m_boxTool = false;
  QPointF m_pressed;
  std::unique_ptr<QRubberBand> m_band;  ///< while a box is drawn
};

}  // namespace qaq::views
