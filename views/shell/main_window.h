#pragma once

#include <QMainWindow>
#include <QSet>
#include <QTimer>
#include <optional>
#include <utility>

#include "views/models/window_services.h"
#include "views/models/workspace.h"
#include "views/plots/theme.h"
#include "views/shell/system_theme.h"

class QActionGroup;
class QMenu;
class QStackedWidget;

namespace qaq::views {

class CaptureDialog;
class DockLayout;
class NoticeBar;
class PageStack;
class InspectorPanel;
class LockChip;
class ParameterPanel;
class PlotPage;
class SessionKeeper;
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

  explicit MainWindow(WindowServices services, QWidget* parent = nullptr);
  explicit MainWindow(CaptureOpener opener, QWidget* parent = nullptr)
      : MainWindow(WindowServices{.openCapture = std::move(opener)}, parent) {}

  Workspace& workspace() { return m_workspace; }
  PageStack* page() const { return m_page; }
  StartPage* startPage() const { return m_start; }
  ParameterPanel* parameters() const { return m_parameters; }
  InspectorPanel* inspector() const { return m_inspector; }
  Timeline* timeline() const { return m_timeline; }
  DockLayout* docks() const { return m_docks; }
  StatusLine* status() const { return m_status; }
  SessionKeeper* sessions() const { return m_sessions; }
  NoticeBar* notice() const { return m_notice; }
  /// Null where the program makes no captures.
  CaptureDialog* captureDialog() const { return m_capture; }

  void setThemeChoice(ThemeChoice choice);
  /// Parameters and prefix to begin with.
  void setSettings(const ScopeParams& params, std::int64_t prefix);
  /// Opens a capture or, by its ending .qaqsession, a session.
  void openFile(const QString& path);
  /// What a session of the window as it is now holds.
  SessionState sessionState() const;
  /// Becomes what `state` says; its capture is opened.
  void applySession(const SessionState& state);
  /// Asks, without stopping anybody, whether what a crash left is wanted back.
  void offerRecovery();

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
  void closeEvent(QCloseEvent* event) override;

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

  // In window_session.cpp: sessions, samples, recent files, captures that are made.
  QWidget* withNotice(QWidget* pages);
  void connectSessions();
  void addFileActions(QMenu* file);
  void fillRecent(QMenu* recent);
  void askForSession();
  void saveSession(bool askName);
  void askForModel();
  void openSample(const Sample& sample);
  void locate(const QString& path);
  void takeSession(const QString& path, const LoadedSession& session);
  void showPending();
  void showPendingViews();

  WindowServices m_services;
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
  NoticeBar* m_notice = nullptr;
  SessionKeeper* m_sessions = nullptr;
  CaptureDialog* m_capture = nullptr;
  SessionState m_kept;  ///< of the open session: what the window does not show itself
  std::optional<SessionState> m_pending;  ///< until its capture is open and drawn
  QString m_bringUp;                      ///< id of a view, when what is opened is drawn
  QSet<QString> m_unlisted;               ///< paths that are no recent files: samples
  ThemeChoice m_choice = ThemeChoice::system;
  SystemTheme m_systemTheme;
};

}  // namespace qaq::views
