#include "views/shell/main_window.h"

#include <QApplication>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QLabel>
#include <QMimeData>
#include <QSpinBox>
#include <QStackedWidget>
#include <utility>

#include "views/panels/inspector_panel.h"
#include "views/panels/lock_chip.h"
#include "views/panels/parameter_panel.h"
#include "views/panels/slice_bar.h"
#include "views/shell/explore_page.h"
#include "views/shell/scope_style.h"
#include "views/shell/start_page.h"
#include "views/shell/status_line.h"
#include "views/shell/window_commands.h"
#include "views/shell/window_style.h"

namespace qaq::views {
namespace {

constexpr int kLateAfterMs = 100;
constexpr int kStackedFrom = 920;  // px of window height that both docks need, one above the other

QWidget* dockHeading(const QString& title) {
  auto* heading = new QLabel(title);
  heading->setObjectName(QStringLiteral("dockTitle"));
  heading->setFont(Theme::font(Theme::kTitlePx, true));
  return heading;
}

}  // namespace

MainWindow::MainWindow(CaptureOpener opener, QWidget* parent)
    : QMainWindow(parent),
      m_workspace(std::move(opener)),
      m_pages(new QStackedWidget),
      m_start(new StartPage),
      m_page(new ExplorePage(&m_workspace.selection())),
      m_parameters(new ParameterPanel),
      m_inspector(new InspectorPanel(&m_workspace.selection())),
      m_status(new StatusLine(&m_workspace)) {
  m_systemIsDark = QApplication::palette().color(QPalette::Window).lightness() < 128;
  QApplication::setStyle(new ScopeStyle);
  setWindowTitle(tr("QAQ Scope"));
  setAcceptDrops(true);
  resize(1600, 1000);
  m_pages->addWidget(m_start);
  m_pages->addWidget(m_page);
  setCentralWidget(m_pages);
  setStatusBar(m_status);
  makeToolBar();
  makeDocks();
  m_commands->addDocks();
  connectWorkspace();
  applyTheme();
}

MainWindow::~MainWindow() = default;

void MainWindow::makeDocks() {
  setTabPosition(Qt::RightDockWidgetArea, QTabWidget::North);
  setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
  const auto add = [this](const QString& title, const char* name, QWidget* widget) {
    auto* dock = new QDockWidget(title);
    dock->setObjectName(QLatin1String(name));
    // Floating is off: docks that were pulled out do not go back on every platform.
    dock->setFeatures(QDockWidget::DockWidgetClosable | QDockWidget::DockWidgetMovable);
    dock->setWidget(widget);
    addDockWidget(Qt::RightDockWidgetArea, dock);
    dock->hide();
    return dock;
  };
  m_parameterDock = add(tr("Parameters"), "parameters", m_parameters);
  m_inspectorDock = add(tr("Inspector"), "inspector", m_inspector);
  connect(m_parameters, &ParameterPanel::liveChanged, &m_workspace, &Workspace::setLive);
  connect(m_parameters, &ParameterPanel::runRequested, &m_workspace, &Workspace::run);
}

void MainWindow::arrangeDocks() {
  const bool stacked = height() >= kStackedFrom;
  if (m_stacked == stacked) return;
  m_stacked = stacked;
  const bool tabbed = tabifiedDockWidgets(m_parameterDock).contains(m_inspectorDock);
  if (stacked && tabbed) {
    splitDockWidget(m_parameterDock, m_inspectorDock, Qt::Vertical);
  } else if (!stacked && !tabbed) {
    tabifyDockWidget(m_parameterDock, m_inspectorDock);
    m_parameterDock->raise();
  }
  for (QDockWidget* dock : {m_parameterDock, m_inspectorDock}) {
    const QWidget* before = dock->titleBarWidget();
    // Tabs carry the names already.
    dock->setTitleBarWidget(stacked ? dockHeading(dock->windowTitle()) : new QWidget);
    delete before;
  }
}

void MainWindow::connectWorkspace() {
  m_updating.setSingleShot(true);
  m_updating.setInterval(kLateAfterMs);
  connect(&m_updating, &QTimer::timeout, this, [this] { m_page->setUpdating(true); });
  connect(m_start, &StartPage::openRequested, this, &MainWindow::askForCapture);
  connect(&m_workspace, &Workspace::loading, m_start, &StartPage::setLoading);
  connect(&m_workspace, &Workspace::openFailed, this, [this](const QString&, const QString& line) {
    m_start->setError(line);
    m_status->setError(line);
  });
  connect(&m_workspace, &Workspace::opened, this, &MainWindow::showOpened);
  connect(&m_workspace, &Workspace::changed, this, [this] {
    m_page->show(m_workspace.shown());
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
  m_pages->setCurrentWidget(m_page);
  m_parameterDock->show();
  m_inspectorDock->show();
  arrangeDocks();
  m_chip->setCapture(m_workspace.capture());
  m_sliceBar->setCapture(info);
  const QSignalBlocker block(m_prefix);
  m_prefix->setRange(0, static_cast<int>(info.n_tokens));
  m_prefix->setValue(static_cast<int>(m_workspace.prefix()));
  for (QAction* action : m_captureActions) action->setVisible(true);
}

void MainWindow::setSettings(const ScopeParams& params, std::int64_t prefix) {
  m_parameters->setParams(params);
  m_workspace.setPrefix(prefix);
  m_workspace.setParams(params);
}

bool MainWindow::isSettled() const { return !m_workspace.isBusy() && m_page->isSettled(); }

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
  if (!urls.isEmpty() && urls.first().isLocalFile()) m_workspace.open(urls.first().toLocalFile());
}

void MainWindow::resizeEvent(QResizeEvent* event) {
  QMainWindow::resizeEvent(event);
  if (m_parameterDock->isVisible() || m_inspectorDock->isVisible()) arrangeDocks();
}

void MainWindow::setThemeChoice(ThemeChoice choice) {
  m_choice = choice;
  applyTheme();
}

void MainWindow::changeEvent(QEvent* event) {
  QMainWindow::changeEvent(event);
  if (event->type() == QEvent::ThemeChange) {
    m_systemIsDark = QApplication::palette().color(QPalette::Window).lightness() < 128;
    if (m_choice == ThemeChoice::system) applyTheme();
  }
}

}  // namespace qaq::views
