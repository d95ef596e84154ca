#pragma once

#include <QJsonObject>
#include <QWidget>
#include <optional>

#include "core/analysis/table.h"
#include "views/models/analysis.h"
#include "views/models/selection_model.h"
#include "views/plots/theme.h"

class QCPPainter;

namespace qaq::views {

class MapPane;

/// One view of what a setting made of a capture. Views know the shared selection and no other view.
/// Most derive from MapView (heatmaps) or ChartView (a core Chart). To add one: derive, and list it
/// in view_list.cpp; the window, `figure` and the tests of every view then know it.
class PlotView : public QWidget {
  Q_OBJECT

 public:
  explicit PlotView(SelectionModel* selection, QWidget* parent = nullptr);

  /// As `qaq-scope figure` names it.
  virtual QString id() const = 0;
  virtual QString title() const = 0;
  /// Shows a result, with the maps of the selected slice made from it. Called while the view is on
  /// the screen or drawn as a figure, so that nothing is computed for views that nobody sees. The
  /// last good picture stays until what is new is whole.
  virtual void show(const SharedSlice& slice) = 0;
  /// Shows A and B at once, so that a blink to A leaves it alone.
  virtual bool isOfBoth() const { return false; }
  /// A sentence in place of the picture.
  virtual void setMessage(const QString& text) = 0;
  virtual void setTheme(const Theme& theme) = 0;
  /// A newer result is being made: the present picture is marked as old.
  virtual void setUpdating(bool updating) = 0;
  /// What show() began to compute is there: figures wait for it.
  virtual bool isReady() const { return true; }
  /// Ready, and drawn.
  virtual bool isSettled() const { return isReady(); }
  /// Why nothing is shown; empty where something is.
  virtual QString error() const { return {}; }

  virtual void resetZoom() {}
  /// What a session keeps of the view: where it was zoomed to, its choices. Empty: as it begins.
  virtual QJsonObject viewState() const { return {}; }
  /// What viewState() gave; what means nothing to the view is ignored. Before there is a picture it
  /// waits for it.
  virtual void setViewState(const QJsonObject&) {}
  /// Height is dear: labels that the view below repeats, and shares in legends, are left out.
  virtual void setCompact(bool) {}
  /// Its heatmaps, whose token, step and layer axes move together on a page.
  virtual QList<MapPane*> panes() const { return {}; }

  /// px at 96 dpi that a figure takes where nothing is said.
  virtual QSize figureSize() const = 0;
  virtual void paintFigure(QCPPainter* painter, const QSize& size) = 0;
  /// What is shown, as rows: for those who read numbers, and for those who cannot see pictures.
  virtual std::optional<Table> table() const { return std::nullopt; }
  /// One sentence that says what the picture shows.
  virtual QString summary() const { return {}; }

  SelectionModel* selection() const { return m_selection; }

 private:
  SelectionModel* m_selection;
};

}  // namespace qaq::views
