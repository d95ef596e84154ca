#include "views/shell/main_window.h"

#include <QActionGroup>
#include <QApplication>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QLabel>
#include <QMimeData>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <utility>

#include "views/panels/inspector_panel.h"
#include "views/panels/lock_chip.h"
#include "views/panels/parameter_panel.h"
#include "views/panels/slice_bar.h"
#include "views/panels/timeline.h"
#include "views/shell/dock_layout.h"
#include "views/shell/page_stack.h"
#include "views/shell/scope_style.h"
#include "views/shell/session_keeper.h"
#include "views/shell/start_page.h"
#include "views/shell/status_line.h"
#include "views/shell/window_style.h"

namespace qaq::views {
namespace {

constexpr int kLateAfterMs = 100;

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
      m_docks(new DockLayout(this)),
      m_timeline(new Timeline) {
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
  column->addWidget(m_page, 1);
  column->addWidget(m_timeline);
  m_pages->addWidget(work);
  setCentralWidget(withNotice(m_pages));
  setStatusBar(m_status);
  makeToolBar();
  makeDocks();
  connectSessions();
  makeMenus();
  connectWorkspace();
  applyTheme();
}

void MainWindow::makeDocks() {
  using Place = DockLayout::Place;
  m_docks->add(Place::rightMain, QStringLiteral("parameters"), tr("Parameters"), m_parameters);
  m_docks->add(Place::right, QStringLiteral("inspector"), tr("Inspector"), m_inspector);
  connect(
      m_parameters, &ParameterPanel::edited, this,
      [this](const ScopeParams& params, bool isFinal) { m_workspace.setParams(params, isFinal); });
  connect(m_parameters, &ParameterPanel::liveChanged, &m_workspace, &Workspace::setLive);
  connect(m_parameters, &ParameterPanel::runRequested, &m_workspace, [this] { m_workspace.run(); });
}

void MainWindow::connectWorkspace() {
  m_updating.setSingleShot(true);
  m_updating.setInterval(kLateAfterMs);
  connect(&m_updating, &QTimer::timeout, this, [this] { m_page->setUpdating(true); });
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
  setWindowTitle(tr("%1 – QAQ Scope").arg(QString::fromStdString(info.name)));
  if (m_pages->currentIndex() == 0) {
    m_pages->setCurrentIndex(1);
    m_docks->reset();
  }
  m_timeline->setCapture(info, m_workspace.prefix());
  m_chip->setCapture(m_workspace.capture());
  m_sliceBar->setCapture(info);
  for (QAction* action : m_captureActions) action->setVisible(true);
}

void MainWindow::setSettings(const ScopeParams& params, std::int64_t prefix) {
  m_parameters->setParams(params);
  m_workspace.setPrefix(prefix);
  m_workspace.setParams(params);
}

bool MainWindow::isSettled() const {
  return !m_workspace.isBusy() && m_page->isSettled() && m_start->isSettled() &&
         m_sessions->isSettled();
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
  if (!urls.isEmpty() && urls.first().isLocalFile()) openFile(urls.first().toLocalFile());
}

void MainWindow::resizeEvent(QResizeEvent* event) {
  QMainWindow::resizeEvent(event);
  m_docks->resized();
}

void MainWindow::setThemeChoice(ThemeChoice choice) {
  m_choice = choice;
  for (QAction* action : m_themes->actions()) {
    action->setChecked(action->data().toInt() == static_cast<int>(choice));
  }
  applyTheme();
}

void MainWindow::changeEvent(QEvent* event) {
  QMainWindow::changeEvent(event);
  if (event->type() == QEvent::ThemeChange) m_systemTheme.readPalette();
}

}  // namespace qaq::views
