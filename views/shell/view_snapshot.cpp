#include "views/shell/view_snapshot.h"

#include "views/plots/plot_view.h"

namespace qaq::views {
namespace {

/// Empty where the pane belongs to no view.
QString nameOf(MapPane* pane) {
  for (QWidget* parent = pane->parentWidget(); parent; parent = parent->parentWidget()) {
    if (const auto* view = qobject_cast<PlotView*>(parent)) {
      return QStringLiteral("%1/%2").arg(view->id()).arg(view->panes().indexOf(pane));
    }
  }
  return {};
}

}  // namespace

ViewSnapshot ViewSnapshot::take(Workspace& workspace, const QList<MapPane*>& panes) {
  const SelectionModel& selection = workspace.selection();
  ViewSnapshot snapshot{.slice = selection.slice(),
                        .locked = selection.locked(),
                        .prefix = workspace.prefix(),
                        .zoom = {}};
  for (MapPane* pane : panes) {
    snapshot.zoom.insert(nameOf(pane), {pane->xAxis->range(), pane->yAxis->range()});
  }
  return snapshot;
}

void ViewSnapshot::restore(Workspace& workspace, const QList<MapPane*>& panes) const {
  if (workspace.prefix() != prefix) workspace.setPrefix(prefix);
  SelectionModel& selection = workspace.selection();
  if (locked) {
    selection.lock(*locked);
  } else {
    selection.unlock();
  }
  selection.setSlice(slice);  // a lock does not tell the query head
  for (MapPane* pane : panes) {
    const auto found = zoom.constFind(nameOf(pane));
    if (found == zoom.constEnd()) continue;
    pane->xAxis->setRange(found->x);
    pane->yAxis->setRange(found->y);
    pane->replot(QCustomPlot::rpQueuedReplot);
  }
}

}  // namespace qaq::views
