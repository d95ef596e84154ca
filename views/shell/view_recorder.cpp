#include "views/shell/view_recorder.h"

namespace qaq::views {
namespace {

constexpr int kSettledAfterMs = 300;

}  // namespace

ViewRecorder::ViewRecorder(Workspace* workspace, PageStack* pages, QObject* parent)
    : QObject(parent), m_workspace(workspace), m_pages(pages) {
  m_settling.setSingleShot(true);
  m_settling.setInterval(kSettledAfterMs);
  connect(&m_settling, &QTimer::timeout, this, &ViewRecorder::record);
  SelectionModel& selection = workspace->selection();
  connect(&selection, &SelectionModel::sliceChanged, this, &ViewRecorder::touch);
  connect(&selection, &SelectionModel::lockChanged, this, &ViewRecorder::touch);
  connect(workspace, &Workspace::prefixChanged, this, &ViewRecorder::touch);
  connect(pages, &QTabWidget::currentChanged, this, &ViewRecorder::touch);
  connect(pages, &PageStack::pagesChanged, this, &ViewRecorder::watchPanes);
  watchPanes();
  connect(workspace, &Workspace::opened, this, [this] {
    m_history.clear();
    touch();
  });
}

void ViewRecorder::watchPanes() {
  // Those of pages that are no more went with them.
  for (const MapPane* pane : m_pages->findChildren<MapPane*>()) {
    for (QCPAxis* axis : {pane->xAxis, pane->yAxis}) {
      connect(axis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, &ViewRecorder::touch);
    }
  }
}

void ViewRecorder::touch() {
  if (!m_workspace->capture()) return;
  m_settling.start();
}

bool ViewRecorder::hasMoved() const {
  if (!m_settling.isActive() || !m_history.here()) return false;
  return ViewSnapshot::take(*m_workspace, *m_pages) != *m_history.here();
}

void ViewRecorder::settle() {
  if (!m_settling.isActive()) return;
  m_settling.stop();
  record();
}

void ViewRecorder::record() {
  // The first place is what a capture shows once it is replayed.
  if (!m_history.here() && m_workspace->isBusy()) {
    m_settling.start();
    return;
  }
  m_history.record(ViewSnapshot::take(*m_workspace, *m_pages));
  emit changed();
}

void ViewRecorder::back() {
  settle();
  restore(m_history.back());
}

void ViewRecorder::forward() {
  settle();
  restore(m_history.forward());
}

void ViewRecorder::restore(const std::optional<ViewSnapshot>& snapshot) {
  if (!snapshot) return;
  snapshot->restore(*m_workspace, *m_pages);
  m_settling.stop();  // this place is known
  emit changed();
}

}  // namespace qaq::views
