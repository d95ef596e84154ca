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
  QTreeWidget* list() const { return m_list; }

 signals:
  void runChosen(int index);
  void renameRequested(int index, const QString& name);
  void removeRequested(int index);

 private:
  void refresh();
  void showMenu(const QPoint& at);

  RunList* m_runs;
  QLabel* m_name;
  QLabel* m_facts;
  QTreeWidget* m_list;
  bool m_filling = false;
};

}  // namespace qaq::views
