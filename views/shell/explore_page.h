#pragma once

#include <QWidget>
#include <memory>
#include <vector>

#include "views/plots/plot_view.h"

class QSplitter;

namespace qaq::views {

/// The page of linked maps: bits above; outliers and attention below. All token axes move together,
/// and so do the layer axes of K and V.
class ExplorePage : public QWidget {
  Q_OBJECT

 public:
  explicit ExplorePage(SelectionModel* selection, QWidget* parent = nullptr);

  void show(const SharedSlice& slice);
  /// A sentence in every pane, where there is no result to show.
  void setMessage(const QString& text);
  void setTheme(const Theme& theme);
  void setUpdating(bool updating);
  void resetZoom();
  bool isSettled() const;
  PlotView* view(const QString& id) const;
  QList<MapPane*> panes() const;

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void link(QList<QCPAxis*> axes);

  std::vector<PlotView*> m_views;  ///< children of the layout
  bool m_linking = false;
};

}  // namespace qaq::views
