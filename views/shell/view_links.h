#pragma once

#include <QObject>
#include <QPointer>

#include "views/models/run_history.h"
#include "views/shell/page_stack.h"

namespace qaq::views {

/// What views ask of the window beside the selection, on pages that come and go: handles choose a
/// ratio of outliers, a point of the trade-off a run, a formula's symbol asks where it is seen. It
/// hands the runs to those that draw them.
class ViewLinks : public QObject {
  Q_OBJECT

 public:
  ViewLinks(PageStack* pages, Workspace* workspace, QObject* parent = nullptr);

  RunHistory& runs() { return m_runs; }
  /// Views that are on no page of the stack.
  void link(PlotPage* page);

 signals:
  /// These parameters were chosen in a view; `isFinal` is false while a handle is dragged.
  void paramsChosen(const qaq::ScopeParams& params, bool isFinal);
  /// A run of another prefix was chosen.
  void prefixChosen(qint64 prefix);
  /// A view's id, or a parameter as in --set, is pointed at; empty: no longer.
  void nameHovered(const QString& name);

 private:
  void linkAll();
  void chooseRatio(CacheSide side, double ratio, bool isFinal);
  void chooseRun(const RunSummary& run);
  void handOut();

  PageStack* m_pages;
  Workspace* m_workspace;
  RunHistory m_runs;
  QList<QPointer<PlotPage>> m_others;
};

}  // namespace qaq::views
