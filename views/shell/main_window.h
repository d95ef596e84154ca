#pragma once

#include <QMainWindow>
#include <QTimer>

#include "views/models/run_list.h"
#include "views/models/stored_runs.h"
#include "views/models/workspace.h"
#include "views/plots/theme.h"
#include "views/shell/system_theme.h"

class QAction;
class QStackedWidget;

namespace qaq::views {

class DockLayout;
class PageStack;
class InspectorPanel;
class LockChip;
class PaletteButton;
class ParameterPanel;
class PlotPage;
class RunsPanel;
class SliceBar;
class StartPage;
class StatusLine;
class TargetMark;
class Timeline;
class ViewLinks;
class WindowCommands;

/// The window: menus, toolbar, the page of maps, the docks. It wires the parts; what is shown comes
/// from the workspace.
class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  enum class ThemeChoice { system, light, dark };

  explicit MainWindow(CaptureOpener opener, QWidget* parent = nullptr);
  ~MainWindow() override;

  Workspace& workspace() { return m_workspace; }
  PageStack* page() const { return m_page; }
  StartPage* startPage() const { return m_start; }
  ParameterPanel* parameters() const { return m_parameters; }
  InspectorPanel* inspector() const { return m_inspector; }
  Timeline* timeline() const { return m_timeline; }
  RunList& runs() { return m_runs; }
  DockLayout* docks() const { return m_docks; }
  StatusLine* status() const { return m_status; }
  WindowCommands& commands() const { return *m_commands; }

  /// What reads the runs of a capture file, for captures that are opened from now on.
  void setRunReader(RunReader reader);
  void setThemeChoice(ThemeChoice choice);
  ThemeChoice themeChoice() const { return m_choice; }
  /// Parameters and prefix to begin with.
  void setSettings(const ScopeParams& params, std::int64_t prefix);
  /// Takes up a setting of runs().
  void takeUpRun(int index);
  /// Nothing is being loaded, replayed or drawn.
  bool isSettled() const;
  /// "qaq replay FILE ..." with the present settings, fit for a shell.
  QString replayCommand() const;
  /// "qaq-scope figure VIEW FILE ..." for what is shown.
  QString figureCommand(const QString& view) const;
  void askForCapture();
  void about();
  /// Brings what shows Live up to the workspace.
  void showSettings();

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void makeToolBar();
  void makeDocks();
  void connectWorkspace();
  void connectLinks();
  void applyTheme();
  void showOpened();
  void showState();

  Workspace m_workspace;
  QStackedWidget* m_pages;
  StartPage* m_start;
  PageStack* m_page;
  ParameterPanel* m_parameters;
  InspectorPanel* m_inspector;
  StatusLine* m_status;
  LockChip* m_chip = nullptr;
  SliceBar* m_sliceBar = nullptr;
  PaletteButton* m_search = nullptr;
  QList<QAction*> m_captureActions;  ///< shown once there is a capture
  RunList m_runs;
  RunsPanel* m_runsPanel;
  DockLayout* m_docks;
  QList<PlotPage*> m_dockedViews;
  Timeline* m_timeline;
  ViewLinks* m_links;
  TargetMark* m_mark;
  QTimer m_updating;  ///< before a result counts as late
  ThemeChoice m_choice = ThemeChoice::system;
  SystemTheme m_systemTheme;
  std::unique_ptr<WindowCommands> m_commands;  // last: it uses all of the above
};

}  // namespace qaq::views
