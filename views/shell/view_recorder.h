#pragma once

#include <QObject>
#include <QTimer>

#include "views/models/view_history.h"
#include "views/shell/view_snapshot.h"

namespace qaq::views {

/// Remembers where one looked, once it has stayed so for a moment, and goes back and forward. Each
/// capture has a history of its own, from its opening.
class ViewRecorder : public QObject {
  Q_OBJECT

 public:
  explicit ViewRecorder(Workspace* workspace, QObject* parent = nullptr);

  /// The panes whose zoom counts.
  void watch(const QList<MapPane*>& panes);
  bool canGoBack() const { return m_history.canGoBack() || hasMoved(); }
  bool canGoForward() const { return m_history.canGoForward() && !hasMoved(); }
  void back();
  void forward();
  /// Remembers what is shown at once, where something has changed.
  void settle();

 signals:
  void changed();
  /// back() or forward() has put a place on the screen.
  void restored();

 private:
  void touch();
  /// Away from the place remembered last, too short a time ago to be one.
  bool hasMoved() const;
  void record();
  void restore(const std::optional<ViewSnapshot>& snapshot);

  Workspace* m_workspace;
  QList<MapPane*> m_panes;
  ViewHistory<ViewSnapshot> m_history;
  QTimer m_settling;
};

}  // namespace qaq::views
