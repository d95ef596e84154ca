// The toolbar of MainWindow, its theme, and what its commands copy and tell.
#include <QAction>
#include <QApplication>
#include <QLabel>
#include <QMessageBox>
#include <QToolBar>
#include <QToolButton>
#include <algorithm>

#include "core/base/shell.h"
#include "core/base/text.h"
#include "views/commands/palette_button.h"
#include "views/models/diagnoser.h"
#include "views/panels/failures_panel.h"
#include "views/panels/filter_bar.h"
#include "views/panels/icons.h"
#include "views/panels/inspector_panel.h"
#include "views/panels/lock_chip.h"
#include "views/panels/log_panel.h"
#include "views/panels/parameter_panel.h"
#include "views/panels/runs_panel.h"
#include "views/panels/selection_bar.h"
#include "views/panels/slice_bar.h"
#include "views/panels/slices_panel.h"
#include "views/panels/timeline.h"
#include "views/panels/why_panel.h"
#include "views/plots/choice_switch.h"
#include "views/shell/capture_dialog.h"
#include "views/shell/diagnosis_dialog.h"
#include "views/shell/dock_layout.h"
#include "views/shell/lesson_guide.h"
#include "views/shell/main_window.h"
#include "views/shell/notice_bar.h"
#include "views/shell/page_stack.h"
#include "views/shell/perspectives.h"
#include "views/shell/start_page.h"
#include "views/shell/status_line.h"
#include "views/shell/window_commands.h"
#include "views/shell/window_style.h"

namespace qaq::views {
namespace {

QString shellWord(const QString& text) {
  return QString::fromStdString(shell_word(text.toStdString()));
}

}  // namespace

void MainWindow::makeToolBar() {
  m_commands = std::make_unique<WindowCommands>(this);
  const CommandRegistry& commands = m_commands->registry();
  QToolBar* bar = addToolBar(tr("Main toolbar"));
  bar->setObjectName(QStringLiteral("toolbar"));
  bar->setMovable(false);
  bar->setIconSize(QSize(18, 18));
  const auto add = [&](const char* id, Qt::ToolButtonStyle style, const QString& word = {}) {
    QAction* action = commands.action(QLatin1String(id));
    if (!word.isEmpty()) action->setIconText(word);
    bar->addAction(action);
    static_cast<QToolButton*>(bar->widgetForAction(action))->setToolButtonStyle(style);
  };
  add("file.open", Qt::ToolButtonTextBesideIcon, tr("Open"));
  // Not hidden without a capture: a hidden action has no shortcut and no place in its menu.
  for (const char* id : {"edit.undo", "edit.redo", "go.back", "go.forward", "view.zoom.reset"}) {
    add(id, Qt::ToolButtonIconOnly);
  }
  m_captureActions.push_back(bar->addWidget(makeSwitch()));
  m_chip = new LockChip(&m_workspace.selection());
  m_captureActions.push_back(bar->addWidget(m_chip));
  m_selectionBar = new SelectionBar(&m_workspace.selection());
  m_captureActions.push_back(bar->addWidget(m_selectionBar));
  auto* space = new QWidget;
  space->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  bar->addWidget(space);
  m_sliceBar = new SliceBar(&m_workspace.selection());
  // Beside the pages whose views it steers.
  m_page->setCornerWidget(m_sliceBar, Qt::TopRightCorner);
  for (QAction* action : m_captureActions) action->setVisible(false);
  m_search = new PaletteButton(commands.action(QStringLiteral("help.palette")));
  bar->addWidget(m_search);
}

QWidget* MainWindow::makeSwitch() {
  m_switch = new ChoiceSwitch(tr("Perspective"), perspectiveTitles());
  m_switch->setObjectName(QStringLiteral("perspectives"));
  QStringList helps;
  for (const Perspective& each : perspectives()) helps.push_back(each.help);
  m_switch->setToolTips(helps);
  const auto refresh = [this] { m_switch->setChosen(perspectiveInSight(*this)); };
  connect(m_switch, &ChoiceSwitch::changed, this, [this, refresh](int index) {
    m_commands->registry().tryTrigger(
        {.id = QStringLiteral("view.perspective"),
         .arguments = {{QStringLiteral("name"), perspectiveTitles()[index]}}});
    refresh();
  });
  connect(m_docks, &DockLayout::frontChanged, this, refresh);
  connect(m_page, &QTabWidget::currentChanged, this, refresh);
  return m_switch;
}

void MainWindow::showSettings() { m_parameters->setLive(m_workspace.isLive()); }

void MainWindow::applyTheme() {
  const bool dark =
      m_choice == ThemeChoice::dark || (m_choice == ThemeChoice::system && m_systemTheme.isDark());
  const Theme& theme = Theme::of(dark ? ThemeKind::dark : ThemeKind::light);
  QApplication::setPalette(windowPalette(theme));
  setStyleSheet(windowStyleSheet(theme));
  for (const auto& [id, sign] :
       {std::pair{"file.open", Icon::open}, std::pair{"edit.undo", Icon::undo},
        std::pair{"edit.redo", Icon::redo}, std::pair{"go.back", Icon::back},
        std::pair{"go.forward", Icon::forward}, std::pair{"view.zoom.reset", Icon::resetZoom}}) {
    m_commands->registry().action(QLatin1String(id))->setIcon(icon(sign, theme.text, theme.faint));
  }
  m_start->setTheme(theme);
  m_notice->setTheme(theme);
  if (m_capture) m_capture->setTheme(theme);
  m_page->setTheme(theme);
  for (PlotPage* view : m_dockedViews) view->setTheme(theme);
  m_timeline->setTheme(theme);
  m_runsPanel->setTheme(theme);
  m_slicesPanel->setTheme(theme);
  m_selectionBar->setTheme(theme);
  m_filterBar->setTheme(theme);
  m_log->setTheme(theme);
  m_lessons->setTheme(theme);
  m_parameters->setTheme(theme);
  m_inspector->setTheme(theme);
  m_failures->setTheme(theme);
  m_why->setTheme(theme);
  if (m_diagnosisDialog) m_diagnosisDialog->setTheme(theme);
  m_status->setTheme(theme);
  m_chip->setTheme(theme);
  m_search->setTheme(theme);
  m_commands->setTheme(theme);
}

QString MainWindow::replayCommand() const {
  QStringList words{QStringLiteral("qaq replay"), shellWord(m_workspace.path())};
  if (m_workspace.prefix() > 0) words += QStringLiteral("--prefix %1").arg(m_workspace.prefix());
  const std::string set = command_line_text(m_workspace.params());
  if (!set.empty()) words += QString::fromStdString(set);
  return words.join(QLatin1Char(' '));
}

QString MainWindow::figureCommand(const QString& view) const {
  const SharedDiagnosis& diagnosis = m_diagnoser->result();
  const bool ofDiagnosis = view == QLatin1String("broke") || view == QLatin1String("where") ||
                           view == QLatin1String("heads");
  if (ofDiagnosis && diagnosis) {
    const DiagnosisRequest& made = diagnosis->request;
    const std::string set = command_line_text(made.params);
    QStringList words{QStringLiteral("qaq-scope figure"),
                      view,
                      shellWord(made.path),
                      QStringLiteral("--model"),
                      shellWord(made.form.model),
                      QStringLiteral("--prefix %1").arg(made.form.prefix)};
    if (made.form.step) words += QStringLiteral("--step %1").arg(*made.form.step);
    if (!set.empty()) words += QString::fromStdString(set);
    return words.join(QLatin1Char(' ')) + QStringLiteral(" -o %1.png").arg(view);
  }
  QString command = replayCommand();
  command.replace(0, static_cast<int>(qstrlen("qaq replay")),
                  QStringLiteral("qaq-scope figure ") + view);
  const auto is = [&view](std::initializer_list<const char*> ids) {
    return std::ranges::any_of(ids, [&view](const char* id) { return view == QLatin1String(id); });
  };
  if (const SharedSlice& shown = m_workspace.shown()) {
    const Slice& slice = shown->slice;
    const CaptureInfo& info = shown->analysis->capture->info();
    const QString side =
        slice.side == CacheSide::key ? QStringLiteral("key") : QStringLiteral("value");
    const auto modelLayer = [&info](int index) {
      return QString::number(info.layers[static_cast<std::size_t>(index)]);
    };
    const bool ofHead =
        is({"outliers", "attention", "persistence", "distributions", "tokens", "table"});
    if (ofHead || is({"errors"})) command += QStringLiteral(" --layer ") + modelLayer(slice.layer);
    if (ofHead) command += QStringLiteral(" --head %1").arg(slice.kvHead);
    if (is({"outliers", "distributions", "table"})) command += QStringLiteral(" --cache ") + side;
    if (slice.queryHead != Slice::kGroup && is({"attention", "persistence", "tokens", "table"})) {
      command += QStringLiteral(" --query-head %1").arg(slice.queryHead);
    }
    if (const auto& cell = m_workspace.selection().locked(); cell && is({"formula"})) {
      command +=
          QStringLiteral(" --cell %1,%2,%3,%4")
              .arg(cell->side == CacheSide::key ? QStringLiteral("key") : QStringLiteral("value"),
                   modelLayer(cell->layer), QString::number(cell->kvHead),
                   QString::number(cell->token));
    }
  }
  if (is({"compare", "overlay", "delta"})) {
    command += QStringLiteral(" --against ") + shellWord(referenceName());
    if (is({"compare"}) && m_workspace.shown()->slice.side == CacheSide::key) {
      command += QStringLiteral(" --cache key");
    }
  }
  return command + QStringLiteral(" -o %1.png").arg(view);
}

void MainWindow::about() {
  QMessageBox::about(this, tr("About QAQ Scope"),
                     tr("QAQ Scope %1\nWhat quantizing the KV cache of a language model does, "
                        "token by token.\nQAQ: Quality Adaptive Quantization, arXiv 2403.04643.\n"
                        "GPL-3.0-or-later.")
                         .arg(QApplication::applicationVersion()));
}

}  // namespace qaq::views
