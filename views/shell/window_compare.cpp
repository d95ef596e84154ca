// What MainWindow does with A and B.
#include <QApplication>
#include <QFileDialog>
#include <QFileInfo>
#include <QKeyEvent>
#include <algorithm>

#include "core/base/error.h"
#include "views/commands/compare_edits.h"
#include "views/panels/parameter_panel.h"
#include "views/panels/runs_panel.h"
#include "views/plots/run_label.h"
#include "views/shell/dock_layout.h"
#include "views/shell/main_window.h"
#include "views/shell/page_stack.h"
#include "views/shell/status_line.h"
#include "views/shell/window_commands.h"

namespace qaq::views {
namespace {

/// A setting as the list of runs has it.
RunSummary summaryOf(const Reference& reference) {
  const std::int64_t all = reference.capture->info().n_tokens;
  return {.params = reference.params, .prefix = reference.prefix == 0 ? all : reference.prefix};
}

}  // namespace

void MainWindow::connectCompare() {
  connect(&m_workspace, &Workspace::referenceChanged, this, [this] {
    m_parameters->showParams(m_workspace.params());
    showReference();
  });
  connect(&m_workspace, &Workspace::changed, this, [this] {
    if (m_blinking) showBlink();
  });
  connect(&m_runs, &RunList::changed, this, &MainWindow::showReference);
  connect(m_runsPanel, &RunsPanel::compareRequested, this, &MainWindow::compareWithRun);
  connect(&m_workspace, &Workspace::opened, this, [this] {
    if (const auto wanted = std::exchange(m_wantedReference, std::nullopt)) {
      m_workspace.compareWith(wanted->first, wanted->second);
      showCompared();
    }
  });
  connect(&m_workspace, &Workspace::referenceFailed, m_status, &StatusLine::setError);
  connect(&m_workspace, &Workspace::openFailed, this, [this] { m_wantedReference.reset(); });
}

void MainWindow::showReference() {
  const auto& reference = m_workspace.reference();
  int index = -1;
  if (reference && m_workspace.isComparing() && reference->kind == Reference::Kind::setting &&
      reference->capture == m_workspace.capture()) {
    const RunSummary sought = summaryOf(*reference);
    const auto& runs = m_runs.runs();
    const auto found = std::ranges::find_if(
        runs, [&](const RunList::Run& run) { return same_setting(run.summary, sought); });
    if (found != runs.end()) index = static_cast<int>(found - runs.begin());
  }
  m_runsPanel->setReference(index, m_workspace.isComparing());
  if (!m_workspace.isComparing()) setBlinking(false);
  m_commands->registry().refresh();
}

void MainWindow::showCompared() {
  if (m_page->bringUp(QStringLiteral("compare"))) m_docks->bringUp(QStringLiteral("delta"));
}

void MainWindow::compareWithRun(int index) {
  const RunList::Run& run = m_runs.runs().at(static_cast<std::size_t>(index));
  Reference reference{.label = runLabel(run.summary),
                      .path = m_workspace.path(),
                      .capture = m_workspace.capture(),
                      .params = m_workspace.params(),
                      .prefix = run.summary.prefix};
  take_policy(reference.params, run.summary.params);
  chooseReference(m_commands->edits().stack(), m_workspace, reference);
  showCompared();
}

void MainWindow::compareWithWhole() {
  chooseReference(m_commands->edits().stack(), m_workspace,
                  Reference{.kind = Reference::Kind::whole,
                            .label = tr("the whole cache"),
                            .path = m_workspace.path(),
                            .capture = m_workspace.capture()});
  showCompared();
}

void MainWindow::compareWithFile(QString path) {
  if (path.isEmpty()) {
    path = QFileDialog::getOpenFileName(this, tr("Compare with a capture"), {},
                                        tr("Captures (*.h5 *.hdf5);;All files (*)"));
  }
  if (path.isEmpty()) return;
  // A '#' that belongs to the file's name is told by the file being there.
  const qsizetype mark = QFileInfo::exists(path) ? -1 : path.lastIndexOf(QLatin1Char('#'));
  m_workspace.compareWith(mark < 0 ? path : path.left(mark),
                          mark < 0 ? QString() : path.mid(mark + 1),
                          [this](const Reference& found) {
                            chooseReference(m_commands->edits().stack(), m_workspace, found);
                          });
  showCompared();
}

void MainWindow::openCompared(const QString& path, const QString& run, const QString& shown,
                              const std::optional<Cursor>& cell) {
  m_pending.reset();
  m_bringUp.clear();
  m_workspace.open(shown, cell);
  m_wantedReference = std::pair(path, run);
}

void MainWindow::swapCompared() {
  setBlinking(false);
  views::swapCompared(m_commands->edits().stack(), m_workspace, [this] {
    const RunSummary shown{.params = m_workspace.params(),
                           .prefix = m_workspace.prefix() == 0
                                         ? m_workspace.capture()->info().n_tokens
                                         : m_workspace.prefix()};
    const auto& runs = m_runs.runs();
    const auto known = std::ranges::find_if(
        runs, [&](const RunList::Run& run) { return same_setting(run.summary, shown); });
    const QString label = runLabel(known == runs.end() ? shown : known->summary);
    const bool ofTwo = m_workspace.reference()->capture != m_workspace.capture();
    return ofTwo ? QFileInfo(m_workspace.path()).fileName() : label;
  });
}

QString MainWindow::referenceName() const {
  const auto& reference = m_workspace.reference();
  if (!m_workspace.isComparing()) {
    refuse_usage({.place = "copy-figure",
                  .what = "nothing is compared",
                  .cure = "choose what with “Compare with…”"});
  }
  if (reference->kind != Reference::Kind::setting) return reference->path;
  // In another capture a run of the file is the only setting there is.
  if (reference->capture != m_workspace.capture()) {
    return reference->path + QLatin1Char('#') + reference->label.section(QLatin1Char('#'), -1);
  }
  const RunSummary sought = summaryOf(*reference);
  for (const RunList::Run& run : m_runs.runs()) {
    if (!run.isStored || !same_setting(run.summary, sought)) continue;
    return reference->path + QLatin1Char('#') + QString::fromStdString(run.summary.name);
  }
  refuse_usage({.place = "copy-figure",
                .what = "A is kept in no file",
                .cure = "store it with qaq replay --save, or compare with a stored run"});
}

QString MainWindow::whyNoBlink() const {
  const SharedSlice& shown = m_workspace.shown();
  if (!m_workspace.isComparing() || !shown || !shown->against) {
    return tr("nothing is compared; choose what with “Compare with…”");
  }
  const CaptureInfo& a = shown->against->analysis->capture->info();
  const CaptureInfo& b = shown->analysis->capture->info();
  if (!shown->against->slice || a.layers != b.layers || a.n_tokens != b.n_tokens) {
    return tr("A has other layers or tokens than B; compare them side by side");
  }
  return {};
}

void MainWindow::setBlinking(bool blinking) {
  if (blinking == m_blinking) return;
  m_blinking = blinking;
  // Whoever holds the key lets it go wherever the focus is by then.
  if (blinking) {
    qApp->installEventFilter(this);
  } else {
    qApp->removeEventFilter(this);
  }
  showBlink();
  m_commands->registry().refresh();
}

void MainWindow::showBlink() {
  const SharedSlice& shown = m_workspace.shown();
  const SharedSlice a = m_blinking && shown && shown->against ? shown->against->slice : nullptr;
  m_page->blink(a);
  for (PlotPage* view : m_dockedViews) view->blink(a);
}

bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
  const bool isKeyUp =
      event->type() == QEvent::KeyRelease && !static_cast<QKeyEvent*>(event)->isAutoRepeat();
  if (isKeyUp || event->type() == QEvent::ApplicationDeactivate) setBlinking(false);
  return QMainWindow::eventFilter(watched, event);
}

}  // namespace qaq::views
