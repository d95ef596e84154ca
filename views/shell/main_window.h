#pragma once

#include <QMainWindow>
#include <QSet>
#include <QTimer>
#include <optional>
#include <utility>

#include "views/models/run_list.h"
#include "views/models/slice_book.h"
#include "views/models/stored_runs.h"
#include "views/models/window_services.h"
#include "views/models/workspace.h"
#include "views/plots/theme.h"
#include "views/shell/exporter.h"
#include "views/shell/layout_store.h"
#include "views/shell/system_theme.h"

class QAction;
class QStackedWidget;

namespace qaq::views {

class CaptureDialog;
class ChoiceSwitch;
class Diagnoser;
class DiagnosisDialog;
class DockLayout;
class NoticeBar;
class PageStack;
class InspectorPanel;
class LockChip;
class FailuresPanel;
class FilterBar;
class LessonGuide;
class LessonPanel;
class LogPanel;
class PaletteButton;
class ParameterPanel;
class PlotPage;
class PlotView;
class RunsPanel;
class SelectionBar;
class SessionKeeper;
class SliceBar;
class SlicesPanel;
class StartPage;
class StatusLine;
class TargetMark;
class Timeline;
class ViewLinks;
class WhyPanel;
class WindowCommands;

/// The window: menus, toolbar, the page of maps, the docks. It wires the parts; what is shown comes
/// from the workspace.
class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  enum class ThemeChoice { system, light, dark };

  explicit MainWindow(WindowServices services, QWidget* parent = nullptr);
  explicit MainWindow(CaptureOpener opener, QWidget* parent = nullptr)
      : MainWindow(WindowServices{.openCapture = std::move(opener)}, parent) {}
  ~MainWindow() override;

  Workspace& workspace() { return m_workspace; }
  const Workspace& workspace() const { return m_workspace; }
  PageStack* page() const { return m_page; }
  StartPage* startPage() const { return m_start; }
  ParameterPanel* parameters() const { return m_parameters; }
  InspectorPanel* inspector() const { return m_inspector; }
  Timeline* timeline() const { return m_timeline; }
  RunList& runs() { return m_runs; }
  SliceBook& slices() { return m_slices; }
  /// The view of a dock; null: it is not one.
  PlotView* dockedView(const QString& id) const;
  DockLayout* docks() const { return m_docks; }
  StatusLine* status() const { return m_status; }
  WindowCommands& commands() const { return *m_commands; }
  SessionKeeper* sessions() const { return m_sessions; }
  NoticeBar* notice() const { return m_notice; }
  LessonGuide* lessons() const { return m_lessons; }
  LessonPanel* lessonPanel() const { return m_lessonPanel; }
  /// Null where the program makes no captures.
  CaptureDialog* captureDialog() const { return m_capture; }
  Diagnoser* diagnoser() const { return m_diagnoser; }
  FailuresPanel* failures() const { return m_failures; }
  WhyPanel* why() const { return m_why; }
  /// Null until it was asked for.
  DiagnosisDialog* diagnosisDialog() const { return m_diagnosisDialog; }

  /// The form, as it begins: for the open capture, else as it was filled in last.
  DiagnosisForm startForm() const;
  void askForDiagnosis();
  /// Runs the model on the open capture under the present setting.
  void diagnose(const DiagnosisForm& form);
  /// A step of the diagnosis; its token is locked where the capture has it.
  void lookAtStep(int step);
  /// Locks the strongest cell to blame, and keeps all of them as a slice.
  void showBlamedCells();
  /// Writes the report; an empty path is asked for.
  void exportDiagnosis(QString path);

  /// What reads the runs of a capture file, for captures that are opened from now on.
  void setRunReader(RunReader reader);
  void setThemeChoice(ThemeChoice choice);
  ThemeChoice themeChoice() const { return m_choice; }
  /// Parameters and prefix to begin with.
  void setSettings(const ScopeParams& params, std::int64_t prefix);
  /// Takes up a setting of runs().
  void takeUpRun(int index);
  /// Holds what is shown, B, against a setting of runs(), the whole cache, another file (FILE or
  /// FILE#RUN; empty: it is asked for).
  void compareWithRun(int index);
  void compareWithWhole();
  void compareWithFile(QString path);
  /// Opens `shown` as B and holds it against `path` (see Workspace::compareWith()), as A.
  void openCompared(const QString& path, const QString& run, const QString& shown,
                    const std::optional<Cursor>& cell = std::nullopt);
  void swapCompared();
  /// Every view but those of both shows A.
  void setBlinking(bool blinking);
  bool isBlinking() const { return m_blinking; }
  /// Empty: A can be shown in the place of B.
  QString whyNoBlink() const;
  /// Opens a capture or, by its ending .qaqsession, a session.
  void openFile(const QString& path);
  /// What a session of the window as it is now holds.
  SessionState sessionState() const;
  /// Becomes what `state` says; its capture is opened.
  void applySession(const SessionState& state);
  /// Asks, without stopping anybody, whether what a crash left is wanted back.
  void offerRecovery();
  void askForSession();
  /// Where the session is; else, or with `askName`, where the user says.
  /// A sample that a lesson needs, with the parameters that lessons begin from.
  void openLessonCapture(const QString& path);
  /// Brings the lesson to the front.
  void showLessonDock();
  void saveSession(bool askName);
  void askForModel();
  /// Asks where a file that was not found is now, and opens it.
  void locate(const QString& path);
  const WindowServices& services() const { return m_services; }

  /// Nothing is being loaded, replayed or drawn.
  bool isSettled() const;
  /// Brings the page or dock that holds a view to the front. A dock that would cover an open lesson
  /// stays where it is, and the view gets a page.
  void lookAt(const QString& view);
  /// Views of the page in sight and of docks.
  QList<PlotView*> viewsInSight() const;
  /// Those, and of the pages that are not in sight.
  QList<PlotView*> allViews() const;
  /// Null where it is not in sight.
  PlotView* shownView(const QString& id) const;
  /// The view that has the focus; null: none has.
  PlotView* focusedView() const;
  const Theme& theme() const;
  LayoutStore& layouts() { return m_layouts; }
  /// Keeps named layouts in a file; one that is broken is told in the status bar.
  void useLayouts(const QString& path);
  /// What writes rows into files.
  void setTableWriter(TableWriter writer);
  void exportNow(const ExportRequest& request);
  /// The page and an open lesson, larger, alone on the whole screen.
  void setPresenting(bool presenting);
  bool isPresenting() const { return m_presenting; }
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
  void closeEvent(QCloseEvent* event) override;
  void showEvent(QShowEvent* event) override;
  /// While A is shown: the key is let go.
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void makeToolBar();
  /// The switch of perspectives.
  QWidget* makeSwitch();
  void makeDocks();
  void connectTable();
  void connectWorkspace();
  void connectLinks();
  void applyTheme();
  void showOpened();
  void showState();
  void tell(const QString& line);
  void fitScreen();

  // In window_compare.cpp.
  void connectCompare();
  void showReference();
  void showCompared();
  void showBlink();
  /// A as --against takes it. Throws Error{usage} where no file holds it.
  QString referenceName() const;

  // In window_diagnosis.cpp.
  void connectDiagnosis();
  void showDiagnosis();
  void handOutStep();

  // In window_session.cpp: sessions, samples, recent files, captures that are made.
  QWidget* withNotice(QWidget* pages);
  void connectSessions();
  void openSample(const Sample& sample);
  void takeSession(const QString& path, const LoadedSession& session);
  /// Runs, slices and pins.
  void keepFindings(SessionState& state) const;
  void giveBackFindings(const SessionState& state);
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
  PaletteButton* m_search = nullptr;
  ChoiceSwitch* m_switch = nullptr;
  QList<QAction*> m_captureActions;  ///< shown once there is a capture
  RunList m_runs;
  RunsPanel* m_runsPanel;
  DockLayout* m_docks;
  QList<PlotPage*> m_dockedViews;
  Timeline* m_timeline;
  SliceBook m_slices{&m_workspace.selection()};
  SlicesPanel* m_slicesPanel;
  SelectionBar* m_selectionBar = nullptr;
  FilterBar* m_filterBar;
  LogPanel* m_log;
  LessonPanel* m_lessonPanel;
  LessonGuide* m_lessons;
  Diagnoser* m_diagnoser;
  FailuresPanel* m_failures;
  WhyPanel* m_why;
  DiagnosisDialog* m_diagnosisDialog = nullptr;
  std::optional<DiagnosisForm> m_diagnosisForm;  ///< as it was filled in last for this capture
  LayoutStore m_layouts;
  Exporter* m_exporter;
  bool m_presenting = false;
  bool m_blinking = false;
  std::optional<std::pair<QString, QString>> m_wantedReference;  ///< until B is open
  QByteArray m_beforePresenting;                                 ///< docks
  ViewLinks* m_links;
  TargetMark* m_mark;
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
  std::unique_ptr<WindowCommands> m_commands;  // last: it uses all of the above
};

}  // namespace qaq::views
