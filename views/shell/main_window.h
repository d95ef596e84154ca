#pragma once

#include <QMainWindow>
#include <QTimer>

#include "views/models/workspace.h"
#include "views/plots/theme.h"
#include "views/shell/system_theme.h"

class QActionGroup;
class QStackedWidget;

namespace qaq::views {

class DockLayout;
class PageStack;
class InspectorPanel;
class LockChip;
class ParameterPanel;
class PlotPage;
class SliceBar;
class StartPage;
class StatusLine;
class Timeline;

/// The window: menus, toolbar, the page of maps, the docks. It wires the parts; what is shown comes
/// from the workspace.
class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  enum class ThemeChoice { system, light, dark };

  explicit MainWindow(CaptureOpener opener, QWidget* parent = nullptr);

  Workspace& workspace() { return m_workspace; }
  PageStack* page() const { return m_page; }
  StartPage* startPage() const { return m_start; }
  ParameterPanel* parameters() const { return m_parameters; }
  InspectorPanel* inspector() const { return m_inspector; }
  Timeline* timeline() const { return m_timeline; }
  DockLayout* docks() const { return m_docks; }
  StatusLine* status() const { return m_status; }

  void setThemeChoice(ThemeChoice choice);
  /// Parameters and prefix to begin with.
  void setSettings(const ScopeParams& params, std::int64_t prefix);
  /// Nothing is being loaded, replayed or drawn.
  bool isSettled() const;
  /// "qaq replay FILE ..." with the present settings, fit for a shell.
  QString replayCommand() const;
  /// "qaq-scope figure VIEW FILE ..." for what is shown.
  QString figureCommand(const QString& view) const;

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  void makeMenus();
  void makeToolBar();
  void makeDocks();
  void connectWorkspace();
  void applyTheme();
  void askForCapture();
  void showOpened();
  void showState();
  void about();

  Workspace m_workspace;
  QStackedWidget* m_pages;
  StartPage* m_start;
  PageStack* m_page;
  ParameterPanel* m_parameters;
  InspectorPanel* m_inspector;
  StatusLine* m_status;
  LockChip* m_chip = nullptr;
  SliceBar* m_sliceBar = nullptr;
  QAction* m_open = nullptr;
  QAction* m_zoom = nullptr;
  QList<QAction*> m_captureActions;  ///< shown once there is a capture
  QActionGroup* m_themes = nullptr;
  DockLayout* m_docks;
  QList<PlotPage*> m_dockedViews;
  Timeline* m_timeline;
  QTimer m_updating;  ///< before a result counts as late
  ThemeChoice m_choice = ThemeChoice::system;
  SystemTheme m_systemTheme;
};

}  // namespace qaq::views
