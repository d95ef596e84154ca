// The menus and the toolbar of MainWindow, and what their commands do.
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QDockWidget>
#include <QLabel>
#include <QMenuBar>
#include <QMessageBox>
#include <QToolBar>

#include "core/base/shell.h"
#include "core/base/text.h"
#include "views/panels/icons.h"
#include "views/panels/inspector_panel.h"
#include "views/panels/lock_chip.h"
#include "views/panels/parameter_panel.h"
#include "views/panels/slice_bar.h"
#include "views/panels/timeline.h"
#include "views/shell/capture_dialog.h"
#include "views/shell/dock_layout.h"
#include "views/shell/main_window.h"
#include "views/shell/notice_bar.h"
#include "views/shell/page_stack.h"
#include "views/shell/start_page.h"
#include "views/shell/status_line.h"
#include "views/shell/window_style.h"

namespace qaq::views {
namespace {

QString shellWord(const QString& text) {
  return QString::fromStdString(shell_word(text.toStdString()));
}

}  // namespace

void MainWindow::makeToolBar() {
  QToolBar* bar = addToolBar(tr("Main toolbar"));
  bar->setObjectName(QStringLiteral("toolbar"));
  bar->setMovable(false);
  bar->setIconSize(QSize(18, 18));
  bar->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  m_open = bar->addAction(tr("Open"));
  m_open->setShortcut(QKeySequence::Open);
  m_open->setToolTip(tr("Open capture (Ctrl+O)"));
  connect(m_open, &QAction::triggered, this, &MainWindow::askForCapture);
  m_zoom = bar->addAction(tr("Whole map"));
  m_zoom->setShortcut(QKeySequence(QStringLiteral("0")));
  m_zoom->setToolTip(tr("Show the whole maps (0)"));
  connect(m_zoom, &QAction::triggered, m_page, &PageStack::resetZoom);
  m_chip = new LockChip(&m_workspace.selection());
  m_captureActions.push_back(m_zoom);
  m_captureActions.push_back(bar->addWidget(m_chip));
  auto* space = new QWidget;
  space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  bar->addWidget(space);
  m_sliceBar = new SliceBar(&m_workspace.selection());
  m_captureActions.push_back(bar->addWidget(m_sliceBar));
  for (QAction* action : m_captureActions) action->setVisible(false);
}

void MainWindow::makeMenus() {
  SelectionModel& selection = m_workspace.selection();
  const auto add = [this](QMenu* menu, const QString& text, const QKeySequence& key, auto&& act) {
    menu->addAction(text, key, this, std::forward<decltype(act)>(act));
  };
  QMenu* file = menuBar()->addMenu(tr("&File"));
  file->addAction(m_open);
  addFileActions(file);
  file->addSeparator();
  add(file, tr("&Quit"), QKeySequence::Quit, [this] { close(); });

  QMenu* edit = menuBar()->addMenu(tr("&Edit"));
  const auto copy = [](const QString& text) { QApplication::clipboard()->setText(text); };
  add(edit, tr("Copy as &command line"), {}, [this, copy] { copy(replayCommand()); });
  for (const QString& id :
       {QStringLiteral("bits"), QStringLiteral("outliers"), QStringLiteral("attention")}) {
    add(edit, tr("Copy command of figure “%1”").arg(id), {},
        [this, copy, id] { copy(figureCommand(id)); });
  }
  connect(m_parameters, &ParameterPanel::copyRequested, this,
          [this, copy] { copy(replayCommand()); });

  QMenu* select = menuBar()->addMenu(tr("&Selection"));
  add(select, tr("Previous layer"), QKeySequence(QStringLiteral("[")),
      [&] { selection.stepLayer(-1); });
  add(select, tr("Next layer"), QKeySequence(QStringLiteral("]")), [&] { selection.stepLayer(1); });
  add(select, tr("Previous KV head"), QKeySequence(QStringLiteral("{")),
      [&] { selection.stepHead(-1); });
  add(select, tr("Next KV head"), QKeySequence(QStringLiteral("}")),
      [&] { selection.stepHead(1); });
  add(select, tr("Keys"), QKeySequence(QStringLiteral("K")),
      [&] { selection.setSide(CacheSide::key); });
  add(select, tr("Values"), QKeySequence(QStringLiteral("V")),
      [&] { selection.setSide(CacheSide::value); });
  select->addSeparator();
  add(select, tr("Unlock"), QKeySequence(QStringLiteral("Esc")), [&] { selection.unlock(); });

  QMenu* view = menuBar()->addMenu(tr("&View"));
  view->addAction(m_zoom);
  view->addSeparator();
  for (QDockWidget* dock : m_docks->docks()) view->addAction(dock->toggleViewAction());
  view->addSeparator();
  QMenu* themes = view->addMenu(tr("&Theme"));
  m_themes = new QActionGroup(this);
  for (const auto& [choice, name] :
       {std::pair{ThemeChoice::system, tr("As the system")},
        std::pair{ThemeChoice::light, tr("Light")}, std::pair{ThemeChoice::dark, tr("Dark")}}) {
    QAction* action = themes->addAction(name);
    action->setCheckable(true);
    action->setChecked(choice == m_choice);
    action->setData(static_cast<int>(choice));
    m_themes->addAction(action);
    connect(action, &QAction::triggered, this, [this, choice = choice] { setThemeChoice(choice); });
  }

  QMenu* help = menuBar()->addMenu(tr("&Help"));
  add(help, tr("&About QAQ Scope"), {}, [this] { about(); });
}

void MainWindow::applyTheme() {
  const bool dark =
      m_choice == ThemeChoice::dark || (m_choice == ThemeChoice::system && m_systemTheme.isDark());
  const Theme& theme = Theme::of(dark ? ThemeKind::dark : ThemeKind::light);
  QApplication::setPalette(windowPalette(theme));
  setStyleSheet(windowStyleSheet(theme));
  m_open->setIcon(icon(Icon::open, theme.text));
  m_zoom->setIcon(icon(Icon::resetZoom, theme.text));
  m_start->setTheme(theme);
  m_notice->setTheme(theme);
  if (m_capture) m_capture->setTheme(theme);
  m_page->setTheme(theme);
  for (PlotPage* view : m_dockedViews) view->setTheme(theme);
  m_timeline->setTheme(theme);
  m_parameters->setTheme(theme);
  m_inspector->setTheme(theme);
  m_status->setTheme(theme);
  m_chip->setTheme(theme);
}

QString MainWindow::replayCommand() const {
  QStringList words{QStringLiteral("qaq replay"), shellWord(m_workspace.path())};
  if (m_workspace.prefix() > 0) words += QStringLiteral("--prefix %1").arg(m_workspace.prefix());
  const std::string set =
      command_line_text(list_parameters(m_workspace.params()), list_parameters(ScopeParams{}));
  if (!set.empty()) words += QString::fromStdString(set);
  return words.join(QLatin1Char(' '));
}

QString MainWindow::figureCommand(const QString& view) const {
  QString command = replayCommand();
  command.replace(0, static_cast<int>(qstrlen("qaq replay")),
                  QStringLiteral("qaq-scope figure ") + view);
  if (const SharedSlice& shown = m_workspace.shown()) {
    const Slice& slice = shown->slice;
    const CaptureInfo& info = shown->analysis->capture->info();
    command +=
        QStringLiteral(" --layer %1 --head %2 --cache %3")
            .arg(info.layers[static_cast<std::size_t>(slice.layer)])
            .arg(slice.kvHead)
            .arg(slice.side == CacheSide::key ? QStringLiteral("key") : QStringLiteral("value"));
    if (slice.queryHead != Slice::kGroup)
      command += QStringLiteral(" --query-head %1").arg(slice.queryHead);
  }
  return command + QStringLiteral(" -o %1.png").arg(view);
}

void MainWindow::about() {
  QMessageBox::about(this, tr("About QAQ Scope"),
                     tr("QAQ Scope %1\nWhat quantizing the KV cache of a LLaMA-family model does, "
                        "token by token.\nQAQ: Quality Adaptive Quantization, arXiv 2403.04643.\n"
                        "GPL-3.0-or-later.")
                         .arg(QApplication::applicationVersion()));
}

}  // namespace qaq::views
