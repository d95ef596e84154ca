#pragma once

#include <QWidget>
#include <vector>

#include "views/plots/plot_view.h"

class QCPAxis;

namespace qaq::views {

/// What a page holds: rows of views by their ids.
struct PageLayout {
  QString title;
  QList<QStringList> rows;
};

/// A page of linked views in a grid: their axes of one kind (tokens, steps, layers) move together.
/// Results go to the views only while the page is on the screen.
class PlotPage : public QWidget {
  Q_OBJECT

 public:
  PlotPage(PageLayout layout, SelectionModel* selection, QWidget* parent = nullptr);

  const PageLayout& pageLayout() const { return m_layout; }
  void show(const SharedSlice& slice);
  /// Views of one setting show `a` in place of what they were given; null: no longer.
  void blink(const SharedSlice& a);
  /// A sentence in every view, where there is no result to show.
  void setMessage(const QString& text);
  void setTheme(const Theme& theme);
  void setUpdating(bool updating);
  void resetZoom();
  /// Below this height, in px, views leave out what they can: rows above the lowest, or all of
  /// them.
  void setCompactBelow(int px, bool allRows);
  /// True while hidden: nothing is made for whom nobody sees.
  bool isSettled() const;
  const std::vector<PlotView*>& views() const { return m_views; }
  PlotView* view(const QString& id) const;
  QList<MapPane*> panes() const;
  /// All views as they stand on the page.
  void paintFigure(QCPPainter* painter, const QSize& size);

 protected:
  void showEvent(QShowEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void link(QList<QCPAxis*> axes);
  void linkAxes();
  void present();
  void fitHeight();

  PageLayout m_layout;
  std::vector<std::vector<PlotView*>> m_rows;  ///< children of the layout
  std::vector<PlotView*> m_views;
  SharedSlice m_slice;      ///< newest
  SharedSlice m_presented;  ///< what the views were given
  SharedSlice m_blink;      ///< what is shown in its place
  int m_compactBelow = 600;
  bool m_compactAll = false;
  bool m_linked = false;
  bool m_linking = false;
};

}  // namespace qaq::views
