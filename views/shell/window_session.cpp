// What MainWindow keeps and gives back: sessions, recovery, recent files, samples, and captures
// that it has made.
#include <QCloseEvent>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <algorithm>

#include "core/replay/captured_layers.h"
#include "views/panels/parameter_panel.h"
#include "views/plots/run_label.h"
#include "views/plots/view_list.h"
#include "views/shell/capture_dialog.h"
#include "views/shell/dock_layout.h"
#include "views/shell/main_window.h"
#include "views/shell/notice_bar.h"
#include "views/shell/page_stack.h"
#include "views/shell/session_keeper.h"
#include "views/shell/start_page.h"
#include "views/shell/status_line.h"

namespace qaq::views {
namespace {

const QString kEnding = QStringLiteral(".qaqsession");

QString sessionFilter() { return MainWindow::tr("Sessions (*%1);;All files (*)").arg(kEnding); }

int modelLayer(const CaptureInfo& info, int index) {
  return info.layers[static_cast<std::size_t>(index)];
}

/// Without views that this program does not have, and pages that are empty without them.
QList<PageLayout> knownPages(const QList<SessionState::Page>& pages) {
  const QStringList known = viewIds();
  QList<PageLayout> out;
  for (const SessionState::Page& page : pages) {
    PageLayout layout{page.title, {}};
    for (QStringList row : page.rows) {
      row.removeIf([&](const QString& id) { return !known.contains(id); });
      if (!row.isEmpty()) layout.rows.push_back(row);
    }
    if (!layout.rows.isEmpty()) out.push_back(layout);
  }
  return out;
}

}  // namespace

QWidget* MainWindow::withNotice(QWidget* pages) {
  auto* centre = new QWidget;
  auto* column = new QVBoxLayout(centre);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_notice = new NoticeBar;
  column->addWidget(m_notice);
  column->addWidget(pages, 1);
  return centre;
}

void MainWindow::connectSessions() {
  m_sessions = new SessionKeeper(
      m_services.sessions, m_services.recovery, [this] { return sessionState(); }, this);
  connect(m_sessions, &SessionKeeper::loaded, this, &MainWindow::takeSession);
  connect(m_sessions, &SessionKeeper::failed, this, [this](const QString& line) {
    m_start->setError(line);
    m_status->setError(line);
  });
  connect(m_sessions, &SessionKeeper::saved, this,
          [this](const QString& path, const QByteArray& document) {
            m_kept.document = document;
            if (m_services.recent) m_services.recent->add(path);
            statusBar()->showMessage(tr("Saved %1").arg(QFileInfo(path).fileName()), 5000);
          });
  connect(&m_workspace, &Workspace::opened, this, &MainWindow::showPending);
  connect(&m_workspace, &Workspace::changed, m_sessions, &SessionKeeper::touch);
  connect(&m_workspace.selection(), &SelectionModel::lockChanged, m_sessions,
          &SessionKeeper::touch);
  connect(&m_workspace, &Workspace::openFailed, this, [this] {
    m_pending.reset();
    m_unlisted.clear();
  });

  connect(m_start, &StartPage::openSessionRequested, this, &MainWindow::askForSession);
  connect(m_start, &StartPage::captureRequested, this, &MainWindow::askForModel);
  connect(m_start, &StartPage::lessonsRequested, this, &MainWindow::showLessonDock);
  connect(m_start, &StartPage::sampleRequested, this, &MainWindow::openSample);
  connect(m_start, &StartPage::fileRequested, this, &MainWindow::openFile);
  connect(m_start, &StartPage::locateRequested, this, &MainWindow::locate);
  if (m_services.capture.make) {
    m_capture = new CaptureDialog(m_services.capture, this);
    connect(&m_capture->job(), &CaptureJob::finished, this, &MainWindow::openFile);
  }
}

void MainWindow::openFile(const QString& path) {
  if (path.endsWith(kEnding, Qt::CaseInsensitive) && m_sessions->canLoad()) {
    m_start->setLoading(path);
    m_sessions->open(path);
    return;
  }
  m_pending.reset();
  m_bringUp.clear();
  m_workspace.open(path);
}

void MainWindow::askForSession() {
  const QString path = QFileDialog::getOpenFileName(this, tr("Open session"), {}, sessionFilter());
  if (!path.isEmpty()) m_sessions->open(path);
}

void MainWindow::saveSession(bool askName) {
  if (!m_workspace.capture()) return;
  QString path = m_sessions->path();
  if (askName || path.isEmpty()) {
    const QFileInfo capture(m_workspace.path());
    if (path.isEmpty()) path = capture.dir().filePath(capture.completeBaseName() + kEnding);
    path = QFileDialog::getSaveFileName(this, tr("Save session"), path, sessionFilter());
    if (path.isEmpty()) return;
    if (!path.endsWith(kEnding, Qt::CaseInsensitive)) path += kEnding;
  }
  m_sessions->save(path);
}

void MainWindow::askForModel() {
  m_capture->show();
  m_capture->raise();
  m_capture->activateWindow();
}

void MainWindow::openSample(const Sample& sample) {
  m_unlisted.insert(sample.path);
  m_pending.reset();
  m_bringUp = sample.view;
  m_parameters->setParams(sample.params);
  m_workspace.prepare(sample.params, 0);
  m_workspace.open(sample.path);
}

void MainWindow::locate(const QString& path) {
  const QString name = QFileInfo(path).fileName();
  const QString found = QFileDialog::getOpenFileName(
      this, tr("Locate %1").arg(name), QFileInfo(path).path(),
      tr("%1 (*.%2);;All files (*)").arg(name, QFileInfo(path).suffix()));
  if (found.isEmpty()) return;
  m_services.recent->remove(path);
  openFile(found);
}

SessionState MainWindow::sessionState() const {
  // What is opened but not drawn yet is what the user wants kept.
  if (m_pending) return *m_pending;
  SessionState state = m_kept;
  state.params = m_workspace.params();
  state.prefix = m_workspace.prefix();
  state.capture.clear();
  state.pages.clear();
  for (const PageLayout& page : m_page->layouts()) state.pages.push_back({page.title, page.rows});
  state.page = m_page->currentIndex();
  state.slice.reset();
  state.lock.reset();
  state.runs.clear();
  state.reference.reset();
  state.slices.clear();
  state.pins.clear();
  if (!m_workspace.capture()) return state;
  keepFindings(state);
  state.layout = m_docks->save().toBase64();
  state.capture = QFileInfo(m_workspace.path()).absoluteFilePath();
  const CaptureInfo& info = m_workspace.capture()->info();
  const SelectionModel& selection = m_workspace.selection();
  state.slice = selection.slice();
  state.slice->layer = modelLayer(info, state.slice->layer);
  if (selection.locked()) {
    state.lock = selection.locked();
    state.lock->layer = modelLayer(info, state.lock->layer);
  }
  // Of a view that stands on several pages, as it is on the first that changed it.
  const QList<PlotView*> views = allViews();
  for (const PlotView* view : views) state.views.remove(view->id());
  for (const PlotView* view : views) {
    const QJsonObject kept = view->viewState();
    if (!kept.isEmpty() && !state.views.contains(view->id())) state.views.insert(view->id(), kept);
  }
  return state;
}

void MainWindow::keepFindings(SessionState& state) const {
  for (const RunList::Run& run : m_runs.runs()) {
    if (run.isStored) continue;  // the capture's file has it
    state.runs.push_back({runLabel(run.summary), run.summary.params, run.summary.prefix});
  }
  if (const auto& reference = m_workspace.reference()) {
    state.reference = {kindName(reference->kind), reference->label,
                       reference->capture == m_workspace.capture()
                           ? QString()
                           : QFileInfo(reference->path).absoluteFilePath(),
                       reference->params, reference->prefix};
  }
  for (const NamedSlice& slice : m_slices.userSlices()) {
    SessionState::TokenSet set{QString::fromStdString(slice.name), {}};
    for (int token = 0; token < slice.cells.shape().n_tokens; ++token) {
      if (slice.cells.contains_token(token)) set.tokens.push_back(token);
    }
    if (!slice.cells.is_of_tokens()) {
      for (const SelectionBox& box : slice.cells.boxes()) {
        set.boxes.push_back({box.tokens.first, box.tokens.last, box.first_row, box.last_row});
      }
    }
    state.slices.push_back(set);
  }
  if (std::optional<Cursor> pin = m_workspace.selection().pinned()) {
    pin->layer = modelLayer(m_workspace.capture()->info(), pin->layer);
    state.pins.push_back(*pin);
  }
}

void MainWindow::giveBackFindings(const SessionState& state) {
  const SelectionShape& shape = m_workspace.selection().shape();
  std::vector<NamedSlice> slices;
  for (const SessionState::TokenSet& set : state.slices) {
    std::vector<SelectionBox> boxes;
    for (const auto& [first, last, firstRow, lastRow] : set.boxes) {
      if (first <= last && firstRow <= lastRow) boxes.push_back({{first, last}, firstRow, lastRow});
    }
    std::vector<std::int32_t> tokens;
    for (const int token : set.tokens) {
      if (token < shape.n_tokens) tokens.push_back(token);
    }
    slices.push_back({.name = set.name.toStdString(),
                      .cells = boxes.empty() ? SelectionSet::of_tokens(shape, tokens)
                                             : SelectionSet::of_boxes(shape, boxes)});
  }
  m_slices.setUserSlices(slices);
  // What a run saves and loses is measured when it is taken up again; until then it has a name.
  std::vector<RunList::Run> runs;
  for (const SessionState::Run& run : state.runs) {
    RunList::Run back{.summary = {.params = run.params, .prefix = run.prefix}};
    if (run.name != runLabel(back.summary)) back.summary.name = run.name.toStdString();
    runs.push_back(back);
  }
  m_runs.setRuns(std::move(runs));
  if (const auto& kept = state.reference) {
    Reference reference{.kind = keptKind(kept->kind),
                        .label = kept->label,
                        .path = kept->capture,
                        .capture = {},
                        .params = kept->params,
                        .prefix = kept->prefix};
    m_workspace.compareWith(reference);
  }
  if (state.pins.isEmpty()) return;
  Cursor pin = state.pins.first();
  const auto layer = captured_index(m_workspace.capture()->info().layers, pin.layer);
  if (!layer) return;
  pin.layer = *layer;
  m_workspace.selection().setPinned(pin);
}

void MainWindow::takeSession(const QString& path, const LoadedSession& session) {
  const QString name = QFileInfo(path).fileName();
  m_start->setError({});
  if (!session.missing.isEmpty()) {
    m_notice->show(
        tr("%1 was not found. It is the capture of the session %2.").arg(session.missing, name),
        {{tr("Locate…"), [this, path, missing = session.missing] {
            const QString found = QFileDialog::getOpenFileName(
                this, tr("Locate %1").arg(QFileInfo(missing).fileName()), QFileInfo(path).path(),
                tr("Captures (*.h5 *.hdf5);;All files (*)"));
            if (!found.isEmpty()) m_sessions->openAgain(found);
          }}});
    return;
  }
  if (m_services.recent && path == m_sessions->path()) m_services.recent->add(path);
  if (session.state.capture.isEmpty()) {
    m_notice->show(tr("The session %1 holds no capture.").arg(name));
    return;
  }
  if (session.changed) {
    m_notice->show(
        tr("%1 is not the file that the session %2 was saved with: what it shows may differ.")
            .arg(QFileInfo(session.state.capture).fileName(), name));
  }
  applySession(session.state);
}

void MainWindow::applySession(const SessionState& state) {
  m_pending = state;
  m_bringUp.clear();
  m_unlisted.insert(state.capture);
  m_parameters->setParams(state.params);
  m_workspace.prepare(state.params, state.prefix);
  m_workspace.open(state.capture);
}

void MainWindow::showPending() {
  const QString path = QFileInfo(m_workspace.path()).absoluteFilePath();
  if (m_services.recent && !m_unlisted.contains(path)) m_services.recent->add(path);
  m_unlisted.clear();
  // After the pages have shown the first result.
  connect(&m_workspace, &Workspace::changed, this, &MainWindow::showPendingViews,
          Qt::SingleShotConnection);
  m_kept = m_pending.value_or(SessionState{});
  if (!m_pending) {
    m_sessions->forget();  // a capture by itself belongs to no session
    return;
  }
  if (const auto pages = knownPages(m_pending->pages); !pages.isEmpty()) m_page->setPages(pages);
  m_page->setCurrentIndex(std::clamp(m_pending->page, 0, m_page->count() - 1));
  if (!m_pending->layout.isEmpty()) m_docks->restore(QByteArray::fromBase64(m_pending->layout));
  giveBackFindings(*m_pending);
  const CaptureInfo& info = m_workspace.capture()->info();
  SelectionModel& selection = m_workspace.selection();
  if (std::optional<Cursor> lock = m_pending->lock) {
    const auto layer = captured_index(info.layers, lock->layer);
    lock->layer = layer.value_or(0);
    if (layer) selection.lock(*lock);
  }
  if (std::optional<Slice> slice = m_pending->slice) {
    const auto layer = captured_index(info.layers, slice->layer);
    slice->layer = layer.value_or(0);
    if (layer) selection.setSlice(*slice);
    m_workspace.stay();
  }
}

void MainWindow::showPendingViews() {
  if (!m_bringUp.isEmpty()) m_page->bringUp(std::exchange(m_bringUp, {}));
  if (!m_pending) return;
  for (PlotView* view : allViews()) {
    view->setViewState(m_pending->views.value(view->id()).toObject());
  }
  m_pending.reset();
}

void MainWindow::offerRecovery() {
  if (m_sessions->offered().isEmpty()) return;
  m_notice->show(tr("QAQ Scope did not close properly. Its last session was kept."),
                 {{tr("Restore"), [this] { m_sessions->restore(); }},
                  {tr("Discard"), [this] { m_sessions->discardOffered(); }}});
}

void MainWindow::closeEvent(QCloseEvent* event) {
  m_sessions->close();
  QMainWindow::closeEvent(event);
}

}  // namespace qaq::views
