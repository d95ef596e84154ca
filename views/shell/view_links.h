#pragma once

#include <QObject>
#include <QPointer>

#include "views/models/stored_runs.h"
#include "views/plots/tradeoff_view.h"
#include "views/shell/page_stack.h"

namespace qaq::views {

/// What views ask of the window beside the selection, on pages that come and go: handles choose a
/// ratio of outliers, a point of the trade-off a run, a formula's symbol asks where it is seen. It
/// hands the runs to those that draw them.
class ViewLinks : public QObject {
  Q_OBJECT

 public:
  ViewLinks(PageStack* pages, Workspace* workspace, RunList* runs, QObject* parent = nullptr);

  /// What reads the runs of a capture file, for captures that are opened from now on.
  void setRunReader(RunReader reader) { m_stored.setReader(std::move(reader)); }
  bool isSettled() const { return m_stored.isSettled(); }
  /// Views that are on no page of the stack.
  void link(PlotPage* page);

 signals:
  /// These parameters were chosen in a view; `isFinal` is false while a handle is dragged.
  void paramsChosen(const qaq::ScopeParams& params, bool isFinal);
  /// An index into the list of runs.
  void runChosen(int index);
  /// A view's id, or a parameter as in --set, is pointed at; empty: no longer.
  void nameHovered(const QString& name);
  /// A step of the diagnosis.
  void stepChosen(int step);

 private:
  void linkAll();
  void chooseRatio(CacheSide side, double ratio, bool isFinal);
  void chooseRun(const RunSummary& run);
  void handOut();
  TradeoffView::Runs runs() const;

  PageStack* m_pages;
  Workspace* m_workspace;
  RunList* m_runs;
  StoredRuns m_stored;
  QList<QPointer<PlotPage>> m_others;
};

}  // namespace qaq::views
