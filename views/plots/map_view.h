#pragma once

#include "views/plots/map_pane.h"
#include "views/plots/plot_view.h"

class QHBoxLayout;
class QVBoxLayout;

namespace qaq::views {

/// A view of heatmaps side by side. The cell under the pointer and the locked one are shared by
/// all panes of all views.
class MapView : public PlotView {
  Q_OBJECT

 public:
  explicit MapView(SelectionModel* selection, QWidget* parent = nullptr);

  void show(const SharedSlice& slice) override;
  void setMessage(const QString& text) override;
  void setTheme(const Theme& theme) override;
  void setUpdating(bool updating) override;
  bool isSettled() const override;
  void resetZoom() override;
  QJsonObject viewState() const override;
  void setViewState(const QJsonObject& state) override;
  void setCompact(bool compact) override;
  QList<MapPane*> panes() const override { return m_panes; }
  QSize figureSize() const override;
  void paintFigure(QCPPainter* painter, const QSize& size) override;
  QString summary() const override;

 protected:
  virtual void present(const SharedSlice& slice) = 0;
  /// Those of panes() that are shown now, on the screen and in figures.
  virtual QList<MapPane*> shownPanes() const { return m_panes; }
  /// Puts `pane` beside the others and connects it to the selection.
  void addPane(MapPane* pane);
  /// Puts what is no map above or below the panes, which take `kPaneStretch` of the height.
  void addAbove(QWidget* widget, int stretch = 0);
  void addBelow(QWidget* widget, int stretch = 0);
  static constexpr int kPaneStretch = 10;
  /// Called when maps that present() only began to make are there: zooms them to where a session
  /// was, and marks the selection's cells where they are now.
  void mapsShown();
  /// The cursor that the cell of a pane stands for; none where it means nothing (a layer that was
  /// not captured).
  virtual std::optional<Cursor> cursorOf(const MapPane* pane, int row, int column,
                                         const QPointF* click) const = 0;
  /// Where a pane shows a cursor.
  virtual MarkedCell markOf(const MapPane* pane, const Cursor& cursor) const = 0;
  /// The selected cells that a block of a pane's cells means, and back: the blocks of a set. Here:
  /// tokens along x, in the rows of a layer axis, else in all layers and heads, back in those of
  /// the slice; nothing where no tokens run along x.
  virtual std::optional<SelectionSet> cellsOf(const MapPane* pane, const CellBlock& block) const;
  virtual std::vector<CellBlock> blocksOf(const MapPane* pane, const SelectionSet& cells) const;
  /// Called after the locked cell changed.
  virtual void lockChanged() {}

 private:
  void showHover();
  void showLock();
  void tellLock(const Cursor& cursor);
  void showPin();
  void showSelected();
  void showFilter();
  void step(MapPane* pane, int rows, int columns, bool extends);

  void applyState();

  QVBoxLayout* m_column;
  QHBoxLayout* m_row;
  QList<MapPane*> m_panes;
  QJsonObject m_state;  ///< until there are maps that it can be applied to
};

}  // namespace qaq::views
