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
  ViewRecorder(Workspace* workspace, PageStack* pages, QObject* parent = nullptr);

  bool canGoBack() const { return m_history.canGoBack() || hasMoved(); }
  bool canGoForward() const { return m_history.canGoForward() && !hasMoved(); }
  void back();
  void forward();
  /// Remembers what is shown at once, where something has changed.
  void settle();

 signals:
  void changed();

 private:
  void watchPanes();
  void touch();
  /// Away from the place remembered last, too short a time ago to be one.
  bool hasMoved() const;
  void record();
  void restore(const std::optional<ViewSnapshot>& snapshot);

  Workspace* m_workspace;
  PageStack* m_pages;
  ViewHistory<ViewSnapshot> m_history;
  QTimer m_settling;
};

}  // namespace qaq::views
