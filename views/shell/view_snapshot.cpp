#include "views/shell/view_snapshot.h"

#include "views/plots/plot_view.h"

namespace qaq::views {
namespace {

/// All panes by "PAGE/VIEW/PANE": a view may be on several pages.
QMap<QString, MapPane*> panesOf(const PageStack& pages) {
  QMap<QString, MapPane*> panes;
  for (int i = 0; i < pages.count(); ++i) {
    for (const PlotView* view : pages.page(i)->findChildren<PlotView*>()) {
      const QList<MapPane*> of = view->panes();
      for (int k = 0; k < of.size(); ++k) {
        panes.insert(QStringLiteral("%1/%2/%3").arg(i).arg(view->id()).arg(k), of[k]);
      }
    }
  }
  return panes;
}

}  // namespace

ViewSnapshot ViewSnapshot::take(Workspace& workspace, const PageStack& pages) {
  const SelectionModel& selection = workspace.selection();
  ViewSnapshot snapshot{.page = pages.currentIndex(),
                        .slice = selection.slice(),
                        .locked = selection.locked(),
                        .prefix = workspace.prefix(),
                        .zoom = {}};
  const QMap<QString, MapPane*> panes = panesOf(pages);
  for (auto it = panes.begin(); it != panes.end(); ++it) {
    snapshot.zoom.insert(it.key(), {it.value()->xAxis->range(), it.value()->yAxis->range()});
  }
  return snapshot;
}

void ViewSnapshot::restore(Workspace& workspace, PageStack& pages) const {
  pages.setCurrentIndex(page);
  if (workspace.prefix() != prefix) workspace.setPrefix(prefix);
  SelectionModel& selection = workspace.selection();
  if (locked) {
    selection.lock(*locked);
  } else {
    selection.unlock();
  }
  selection.setSlice(slice);  // a lock does not tell the query head
  const QMap<QString, MapPane*> panes = panesOf(pages);
  for (auto it = panes.begin(); it != panes.end(); ++it) {
    const auto found = zoom.constFind(it.key());
    if (found == zoom.constEnd()) continue;
    MapPane* pane = it.value();
    pane->xAxis->setRange(found->x);
    pane->yAxis->setRange(found->y);
    pane->replot(QCustomPlot::rpQueuedReplot);
  }
}

}  // namespace qaq::views
