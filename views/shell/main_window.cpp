#include "views/shell/main_window.h"

#include <QApplication>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QMenuBar>
#include <QMimeData>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <QWindow>
#include <algorithm>
#include <qcustomplot.h>
#include <utility>

#include "views/commands/run_edits.h"
#include "views/models/diagnoser.h"
#include "views/models/provenance.h"
#include "views/panels/failures_panel.h"
#include "views/panels/filter_bar.h"
#include "views/panels/inspector_panel.h"
#include "views/panels/lesson_panel.h"
#include "views/panels/lock_chip.h"
#include "views/panels/log_panel.h"
#include "views/panels/parameter_field.h"
#include "views/panels/parameter_panel.h"
#include "views/panels/runs_panel.h"
#include "views/panels/selection_bar.h"
#include "views/panels/slice_bar.h"
#include "views/panels/slices_panel.h"
#include "views/panels/timeline.h"
#include "views/panels/why_panel.h"
#include "views/plots/run_label.h"
#include "views/plots/table_view.h"
#include "views/shell/dock_layout.h"
#include "views/shell/lesson_guide.h"
#include "views/shell/page_stack.h"
#include "views/shell/rescale.h"
#include "views/shell/scope_style.h"
#include "views/shell/session_keeper.h"
#include "views/shell/start_page.h"
#include "views/shell/status_line.h"
#include "views/shell/target_mark.h"
#include "views/shell/view_links.h"
#include "views/shell/window_commands.h"
#include "views/shell/window_style.h"

namespace qaq::views {
namespace {

constexpr int kLateAfterMs = 100;
constexpr int kCompactDock = 130;  // px of height
constexpr int kNoticeMs = 8000;

}  // namespace

MainWindow::MainWindow(WindowServices services, QWidget* parent)
    : QMainWindow(parent),
      m_services(std::move(services)),
      m_workspace(m_services.openCapture),
      m_pages(new QStackedWidget),
      m_start(new StartPage(m_services)),
      m_page(new PageStack(&m_workspace.selection())),
      m_parameters(new ParameterPanel),
      m_inspector(new InspectorPanel(&m_workspace.selection())),
      m_status(new StatusLine(&m_workspace)),
      m_runsPanel(new RunsPanel(&m_runs)),
      m_docks(new DockLayout(this)),
      m_timeline(new Timeline),
      m_slicesPanel(new SlicesPanel(&m_slices, &m_workspace.selection())),
      m_filterBar(new FilterBar(&m_workspace.selection())),
      m_log(new LogPanel),
      m_lessonPanel(new LessonPanel),
      m_lessons(new LessonGuide(this, m_lessonPanel, m_services.lessons)),
      m_diagnoser(new Diagnoser(m_services.diagnosis, this)),
      m_failures(new FailuresPanel(m_diagnoser)),
      m_why(new WhyPanel(m_diagnoser)),
      m_exporter(new Exporter(m_page, {}, this)),
      m_links(new ViewLinks(m_page, &m_workspace, &m_runs, this)),
      m_mark(new TargetMark(this)) {
  connect(&m_systemTheme, &SystemTheme::changed, this, [this] {
    if (m_choice == ThemeChoice::system) applyTheme();
  });
  QApplication::setStyle(new ScopeStyle);
  setWindowTitle(tr("QAQ Scope"));
  setAcceptDrops(true);
  resize(1600, 1000);
  m_pages->addWidget(m_start);
  auto* work = new QWidget;
  auto* column = new QVBoxLayout(work);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(m_filterBar);
  column->addWidget(m_page, 1);
  column->addWidget(m_timeline);
  m_pages->addWidget(work);
  setCentralWidget(withNotice(m_pages));
  setStatusBar(m_status);
  connectSessions();
  makeToolBar();
  makeDocks();
  m_commands->addDocks();
  connectWorkspace();
  connectLinks();
  connectCompare();
  m_lessons->connectWindow();
  applyTheme();
}

// Hidden while it is whole: a window that goes passes the focus on, and who follows the focus asks
// for what would be gone by then.
MainWindow::~MainWindow() {
  setPresenting(false);  // the scale is the program's
  hide();
}

void MainWindow::makeDocks() {
  using Place = DockLayout::Place;
  m_docks->add(Place::left, QStringLiteral("runs"), tr("Captures & runs"), m_runsPanel);
  m_docks->add(Place::left, QStringLiteral("slices"), tr("Slices"), m_slicesPanel);
  m_docks->add(Place::rightMain, QStringLiteral("parameters"), tr("Parameters"), m_parameters);
  if (!m_services.lessons.lessons.empty()) {
    m_docks->add(Place::rightMain, QStringLiteral("lesson"), tr("Lesson"), m_lessonPanel);
  } else {
    m_lessonPanel->setParent(this);
    m_lessonPanel->hide();
  }
  m_docks->add(Place::right, QStringLiteral("inspector"), tr("Inspector"), m_inspector);
  const auto addView = [this](Place place, const QString& id, const QString& title) {
    auto* page = new PlotPage({title, {{id}}}, &m_workspace.selection());
    page->setCompactBelow(kCompactDock, true);
    // Docks may be narrower and lower than what stands in them would like.
    page->setMinimumSize(200, 60);
    m_dockedViews.push_back(page);
    m_links->link(page);
    m_docks->add(place, id, title, page);
  };
  addView(Place::right, QStringLiteral("formula"), tr("Formula"));
  addView(Place::right, QStringLiteral("table"), tr("Table"));
  addView(Place::bottom, QStringLiteral("tokens"), tr("Tokens"));
  addView(Place::bottom, QStringLiteral("delta"), tr("Delta table"));
  connectTable();
  connectDiagnosis();
  m_docks->add(Place::bottom, QStringLiteral("log"), tr("Log"), m_log);
  connect(m_parameters, &ParameterPanel::liveChanged, &m_workspace, &Workspace::setLive);
  connect(m_parameters, &ParameterPanel::runRequested, &m_workspace, [this] { m_workspace.run(); });
}

PlotView* MainWindow::dockedView(const QString& id) const {
  for (const PlotPage* page : m_dockedViews) {
    if (PlotView* view = page->view(id)) return view;
  }
  return nullptr;
}

void MainWindow::connectTable() {
  auto* table = static_cast<TableView*>(dockedView(QStringLiteral("table")));
  connect(table, &TableView::exportWanted, this,
          [this] { m_commands->registry().tryTrigger({.id = QStringLiteral("file.export")}); });
  // The rows of the view that somebody works with.
  connect(qApp, &QApplication::focusChanged, table, [this, table] {
    const PlotView* view = focusedView();
    if (view && TableView::sourceIds().contains(view->id())) table->setSource(view->id());
  });
}

void MainWindow::connectLinks() {
  connect(m_links, &ViewLinks::paramsChosen, this, [this](const ScopeParams& params, bool isFinal) {
    m_parameters->showParams(params);
    m_commands->edits().editedByHand(params, isFinal);
  });
  connect(m_links, &ViewLinks::runChosen, this, &MainWindow::takeUpRun);
  connect(m_links, &ViewLinks::nameHovered, this, [this](const QString& name) {
    QWidget* target = m_page->current()->view(name);
    if (!target) target = dockedView(name);
    if (!target) target = m_parameters->field(name);
    m_mark->setTarget(target, m_page->theme().accent);
  });
}

void MainWindow::connectWorkspace() {
  m_updating.setSingleShot(true);
  m_updating.setInterval(kLateAfterMs);
  connect(&m_updating, &QTimer::timeout, this, [this] { m_page->setUpdating(true); });
  connect(m_runsPanel, &RunsPanel::runChosen, this, &MainWindow::takeUpRun);
  connect(m_runsPanel, &RunsPanel::renameRequested, this, [this](int index, const QString& name) {
    renameRun(m_commands->edits().stack(), m_runs, index, name);
  });
  connect(m_runsPanel, &RunsPanel::removeRequested, this,
          [this](int index) { removeRun(m_commands->edits().stack(), m_runs, index); });
  connect(m_exporter, &Exporter::finished, this, [this](const QString& path) {
    tell(tr("written: %1").arg(path));
    m_status->showMessage(tr("written: %1").arg(QFileInfo(path).fileName()), kNoticeMs);
  });
  connect(m_exporter, &Exporter::failed, m_status, &StatusLine::setError);
  connect(m_status, &StatusLine::refused, m_log, &LogPanel::warn);
  connect(m_timeline, &Timeline::prefixChosen, &m_workspace, &Workspace::setPrefix);
  connect(&m_workspace, &Workspace::prefixChanged, m_timeline, &Timeline::setPrefix);
  connect(m_start, &StartPage::openRequested, this, &MainWindow::askForCapture);
  connect(&m_workspace, &Workspace::loading, m_start, &StartPage::setLoading);
  connect(&m_workspace, &Workspace::openFailed, this, [this](const QString&, const QString& line) {
    m_start->setError(line);
    m_status->setError(line);
  });
  connect(&m_workspace, &Workspace::opened, this, &MainWindow::showOpened);
  connect(&m_workspace, &Workspace::changed, this, [this] {
    const SharedAnalysis& analysis = m_workspace.shown()->analysis;
    if (analysis->stage == Analysis::Stage::scores) m_runs.add(*analysis);
    m_slices.show(analysis);
    m_page->show(m_workspace.shown());
    for (PlotPage* view : m_dockedViews) view->show(m_workspace.shown());
    m_timeline->setViolations(m_workspace.shown()->violations);
    m_inspector->show(m_workspace.shown());
    m_parameters->setError({});
    showState();
  });
  connect(&m_workspace, &Workspace::failed, this, [this](const QString& line) {
    m_parameters->setError(line);
    if (!m_workspace.shown() || m_workspace.shown()->analysis->capture != m_workspace.capture()) {
      m_page->setMessage(line);
      for (PlotPage* view : m_dockedViews) view->setMessage(line);
    }
    showState();
  });
  connect(&m_workspace.runner(), &ReplayRunner::started, this, &MainWindow::showState);
  connect(&m_workspace.runner(), &ReplayRunner::settled, this, &MainWindow::showState);
}

void MainWindow::showState() {
  const bool busy = m_workspace.runner().busy();
  if (busy) {
    if (!m_updating.isActive()) m_updating.start();
    m_parameters->setState(tr("updating"));
    return;
  }
  m_updating.stop();
  m_page->setUpdating(false);
  m_parameters->setState(m_workspace.isCurrent() ? tr("current") : tr("older parameters"));
}

void MainWindow::showOpened() {
  const CaptureInfo& info = m_workspace.capture()->info();
  tell(tr("opened: %1").arg(m_workspace.path()));
  setWindowTitle(tr("%1 – QAQ Scope").arg(QString::fromStdString(info.name)));
  if (m_pages->currentIndex() == 0) {
    m_pages->setCurrentIndex(1);
    m_docks->reset();
    if (m_lessons->lesson()) showLessonDock();
  }
  m_runs.reset({});
  m_runsPanel->setCapture(info);
  m_timeline->setCapture(info, m_workspace.prefix());
  m_chip->setCapture(m_workspace.capture());
  m_sliceBar->setCapture(info);
  for (QAction* action : m_captureActions) action->setVisible(true);
}

void MainWindow::setSettings(const ScopeParams& params, std::int64_t prefix) {
  m_parameters->setParams(params);
  // The prefix under the old parameters is no setting of its own.
  m_workspace.setPrefix(prefix, false);
  m_workspace.setParams(params);
}

void MainWindow::setRunReader(RunReader reader) {
  m_workspace.setRunReader(reader);
  m_links->setRunReader(std::move(reader));
}

void MainWindow::takeUpRun(int index) {
  const RunList::Run& run = m_runs.runs().at(static_cast<std::size_t>(index));
  ScopeParams params = m_workspace.params();
  take_policy(params, run.summary.params);
  const bool whole = run.summary.prefix == m_workspace.capture()->info().n_tokens;
  // A preview where the parameters change as well: what lies between is no setting of its own.
  m_workspace.setPrefix(whole ? 0 : run.summary.prefix,
                        same_parameters(params, m_workspace.params()));
  m_commands->edits().change(params, tr("Take up run “%1”").arg(runLabel(run.summary)));
}

void MainWindow::openLessonCapture(const QString& path) {
  openSample({.title = {}, .path = path, .params = {}, .view = {}});
}

void MainWindow::showLessonDock() {
  m_docks->setReading(true);
  m_docks->bringUp(QStringLiteral("lesson"));
}

void MainWindow::lookAt(const QString& view) {
  if (m_page->bringUp(view)) return;
  const bool covers = m_lessons->lesson() && m_docks->shareTabs(view, QStringLiteral("lesson"));
  if (!covers) {
    m_docks->bringUp(view);
    return;
  }
  m_page->addPage({dockedView(view)->title(), {{view}}});
  m_page->setCurrentIndex(m_page->count() - 1);
}

void MainWindow::tell(const QString& line) { m_log->note(line); }

QList<PlotView*> MainWindow::viewsInSight() const {
  QList<PlotView*> all;
  if (const PlotPage* page = m_page->current()) {
    for (PlotView* view : page->views()) all.push_back(view);
  }
  for (const PlotPage* docked : m_dockedViews) {
    for (PlotView* view : docked->views()) all.push_back(view);
  }
  return all;
}

QList<PlotView*> MainWindow::allViews() const {
  QList<PlotView*> all = viewsInSight();
  for (int i = 0; i < m_page->count(); ++i) {
    if (i == m_page->currentIndex()) continue;
    for (PlotView* view : m_page->page(i)->views()) all.push_back(view);
  }
  return all;
}

PlotView* MainWindow::shownView(const QString& id) const {
  for (PlotView* view : viewsInSight()) {
    if (view->id() == id) return view;
  }
  return nullptr;
}

PlotView* MainWindow::focusedView() const {
  for (QWidget* widget = focusWidget(); widget; widget = widget->parentWidget()) {
    if (auto* view = qobject_cast<PlotView*>(widget)) return view;
  }
  return nullptr;
}

const Theme& MainWindow::theme() const { return m_page->theme(); }

void MainWindow::useLayouts(const QString& path) {
  m_layouts = LayoutStore(path);
  try {
    m_layouts.load();
  } catch (const std::exception& error) {
    m_status->setError(QString::fromUtf8(error.what()));
  }
}

void MainWindow::setTableWriter(TableWriter writer) {
  m_exporter->setTableWriter(std::move(writer));
}

void MainWindow::exportNow(const ExportRequest& request) {
  const SharedSlice& shown = m_workspace.shown();
  if (!shown) return;
  m_exporter->run(request, provenanceText(*shown), m_dockedViews, theme().kind);
}

void MainWindow::setPresenting(bool presenting) {
  if (presenting == m_presenting) return;
  m_presenting = presenting;
  if (presenting) m_beforePresenting = m_docks->save();
  rescale(this, presenting ? Theme::kPresented : 1);
  applyTheme();
  for (QWidget* widget : std::initializer_list<QWidget*>{menuBar(), m_status}) {
    widget->setVisible(!presenting);
  }
  if (presenting) {
    showFullScreen();
    m_docks->showOnly(m_lessons->lesson() ? QStringLiteral("lesson") : QString());
  } else {
    showNormal();
    m_docks->restore(m_beforePresenting);
  }
  m_commands->registry().refresh();
}

bool MainWindow::isSettled() const {
  return !m_workspace.isBusy() && m_start->isSettled() && m_sessions->isSettled() &&
         !m_exporter->isBusy() && !m_diagnoser->isBusy() && m_links->isSettled() &&
         m_slices.isReady() && m_inspector->isReady() && m_page->isSettled() &&
         m_lessons->isSettled() &&
         std::ranges::all_of(m_dockedViews, [](const PlotPage* page) { return page->isSettled(); });
}

void MainWindow::askForCapture() {
  const QString path = QFileDialog::getOpenFileName(this, tr("Open capture"), {},
                                                    tr("Captures (*.h5 *.hdf5);;All files (*)"));
  if (!path.isEmpty()) m_workspace.open(path);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  const QList<QUrl> urls = event->mimeData()->urls();
  if (urls.isEmpty() || !std::ranges::all_of(urls, &QUrl::isLocalFile)) return;
  if (urls.size() == 2) {
    openCompared(urls[0].toLocalFile(), {}, urls[1].toLocalFile());
  } else {
    openFile(urls.first().toLocalFile());
  }
}

void MainWindow::resizeEvent(QResizeEvent* event) {
  QMainWindow::resizeEvent(event);
  m_docks->resized();
}

void MainWindow::showEvent(QShowEvent* event) {
  QMainWindow::showEvent(event);
  connect(windowHandle(), &QWindow::screenChanged, this, &MainWindow::fitScreen,
          Qt::UniqueConnection);
  fitScreen();
}

void MainWindow::fitScreen() {
  // QCustomPlot asks for the screen's ratio once, before it is on one.
  for (QCustomPlot* plot : findChildren<QCustomPlot*>()) {
    if (qFuzzyCompare(plot->bufferDevicePixelRatio(), devicePixelRatioF())) continue;
    plot->setBufferDevicePixelRatio(devicePixelRatioF());
    plot->replot(QCustomPlot::rpQueuedReplot);
  }
}

void MainWindow::setThemeChoice(ThemeChoice choice) {
  m_choice = choice;
  applyTheme();
}

void MainWindow::changeEvent(QEvent* event) {
  QMainWindow::changeEvent(event);
  if (event->type() == QEvent::ThemeChange) m_systemTheme.readPalette();
}

}  // namespace qaq::views
