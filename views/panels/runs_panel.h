#pragma once

#include <QWidget>

#include "views/models/run_list.h"
#include "views/plots/theme.h"

class QLabel;
class QTreeWidget;

namespace qaq::views {

/// The open capture and the settings that were tried on it: what each saves and loses. A click
/// takes a setting up again; the menu of a run renames it and takes it off.
class RunsPanel : public QWidget {
  Q_OBJECT

 public:
  explicit RunsPanel(RunList* runs, QWidget* parent = nullptr);

  void setCapture(const CaptureInfo& info);
  void setTheme(const Theme& theme);
  /// Marks the run that is A, -1: none of the list, and, while `comparing`, the shown one as B.
  void setReference(int index, bool comparing);
  QTreeWidget* list() const { return m_list; }

 signals:
  void runChosen(int index);
  void renameRequested(int index, const QString& name);
  void removeRequested(int index);
  void compareRequested(int index);

 private:
  void refresh();
  void showMenu(const QPoint& at);

  RunList* m_runs;
  QLabel* m_name;
  QLabel* m_facts;
  QTreeWidget* m_list;
  void markLetters();

  bool m_filling = false;
  int m_reference = -1;
  bool m_comparing = false;
  Theme m_theme = Theme::of(ThemeKind::light);
};

}  // namespace qaq::views
