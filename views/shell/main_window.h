#pragma once

#include <QMainWindow>
#include <QTimer>

#include "views/models/workspace.h"
#include "views/plots/theme.h"

class QAction;
class QSpinBox;
class QStackedWidget;

namespace qaq::views {

class ExplorePage;
class InspectorPanel;
class LockChip;
class PaletteButton;
class ParameterPanel;
class SliceBar;
class StartPage;
class StatusLine;
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
  ExplorePage* page() const { return m_page; }
  StartPage* startPage() const { return m_start; }
  ParameterPanel* parameters() const { return m_parameters; }
  InspectorPanel* inspector() const { return m_inspector; }
  StatusLine* status() const { return m_status; }
  WindowCommands& commands() const { return *m_commands; }

  void setThemeChoice(ThemeChoice choice);
  ThemeChoice themeChoice() const { return m_choice; }
  /// Parameters and prefix to begin with.
  void setSettings(const ScopeParams& params, std::int64_t prefix);
  /// Nothing is being loaded, replayed or drawn.
  bool isSettled() const;
  /// "qaq replay FILE ..." with the present settings, fit for a shell.
  QString replayCommand() const;
  /// "qaq-scope figure VIEW FILE ..." for what is shown.
  QString figureCommand(const QString& view) const;
  void askForCapture();
  void about();
  /// Brings what shows prefix and Live up to the workspace.
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
  void arrangeDocks();
  void applyTheme();
  void showOpened();
  void showState();

  Workspace m_workspace;
  QStackedWidget* m_pages;
  StartPage* m_start;
  ExplorePage* m_page;
  ParameterPanel* m_parameters;
  InspectorPanel* m_inspector;
  StatusLine* m_status;
  LockChip* m_chip = nullptr;
  SliceBar* m_sliceBar = nullptr;
  QSpinBox* m_prefix = nullptr;
  PaletteButton* m_search = nullptr;
  QList<QAction*> m_captureActions;  ///< shown once there is a capture
  QDockWidget* m_parameterDock = nullptr;
  QDockWidget* m_inspectorDock = nullptr;
  QTimer m_updating;  ///< before a result counts as late
  ThemeChoice m_choice = ThemeChoice::system;
  bool m_systemIsDark = false;
  std::optional<bool> m_stacked;               ///< docks one above the other, else in tabs
  std::unique_ptr<WindowCommands> m_commands;  // last: it uses all of the above
};

}  // namespace qaq::views
