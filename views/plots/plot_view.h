#pragma once

#include <QWidget>

#include "views/models/analysis.h"
#include "views/models/selection_model.h"
#include "views/plots/map_pane.h"

namespace qaq::views {

/// One view: an id as `figure` names it, a title, and panes side by side. Views know the shared
/// selection and no other view. To add one: derive, make the panes in the constructor, and list it
/// in makeViews() (figure_renderer.cpp).
class PlotView : public QWidget {
  Q_OBJECT

 public:
  explicit PlotView(SelectionModel* selection, QWidget* parent = nullptr);

  virtual QString id() const = 0;
  virtual QString title() const = 0;
  /// Shows a result, with the maps of the selected slice made from it.
  void show(const SharedSlice& slice);

  const QList<MapPane*>& panes() const { return m_panes; }
  SelectionModel* selection() const { return m_selection; }
  void setTheme(const Theme& theme);
  void setUpdating(bool updating);
  bool isSettled() const;

 protected:
  virtual void present(const SharedSlice& slice) = 0;
  /// Puts `pane` beside the others and connects it to the selection.
  void addPane(MapPane* pane);
  /// The cursor that the cell of a pane stands for; none where it means nothing (a layer that was
  /// not captured).
  virtual std::optional<Cursor> cursorOf(const MapPane* pane, int row, int column,
                                         const QPointF* click) const = 0;
  /// Where a pane shows a cursor.
  virtual MarkedCell markOf(const MapPane* pane, const Cursor& cursor) const = 0;
  /// Called after the locked cell changed.
  virtual void lockChanged() {}

 private:
  void showHover();
  void showLock();
  void step(MapPane* pane, int rows, int columns);

  SelectionModel* m_selection;
  QList<MapPane*> m_panes;
};

}  // namespace qaq::views
