#include "views/models/workspace.h"

#include <algorithm>
#include <utility>

namespace qaq::views {

Workspace::Workspace(CaptureOpener opener, QObject* parent)
    : QObject(parent), m_loader(std::move(opener)) {
  connect(&m_loader, &CaptureLoader::finished, this, &Workspace::take);
  connect(&m_loader, &CaptureLoader::failed, this, &Workspace::openFailed);
  connect(&m_runner, &ReplayRunner::finished, this, &Workspace::takeAnalysis);
  connect(&m_runner, &ReplayRunner::failed, this, &Workspace::failed);
  connect(&m_slices, &SliceLoader::failed, this, &Workspace::failed);
  connect(&m_slices, &SliceLoader::finished, this, [this](const SharedSlice& slice) {
    m_shown = slice;
    emit changed();
  });
  connect(&m_selection, &SelectionModel::sliceChanged, this, &Workspace::requestSlice);
}

void Workspace::open(const QString& path, const std::optional<Cursor>& cell) {
  m_startCell = cell;
  emit loading(path);
  m_loader.request(path);
}

void Workspace::take(const QString& path, const SharedCapture& capture) {
  m_path = path;
  m_capture = capture;
  m_prefix = std::min(m_prefix, capture->info().n_tokens);
  emit opened();
  run();
}

void Workspace::setParams(const ScopeParams& params) {
  m_params = params;
  if (m_live) run();
}

void Workspace::setPrefix(std::int64_t prefix) {
  m_prefix = prefix;
  if (m_live) run();
}

void Workspace::setLive(bool live) {
  m_live = live;
  if (live && m_analysis && !isCurrent()) run();
}

void Workspace::run() {
  if (!m_capture) return;
  m_runner.request({.capture = m_capture, .params = m_params, .prefix = m_prefix});
}

bool Workspace::isCurrent() const {
  if (!m_analysis || m_analysis->capture != m_capture) return false;
  const std::int64_t prefix = m_prefix == 0 ? m_capture->info().n_tokens : m_prefix;
  return m_analysis->replay->prefix == prefix && same_parameters(m_analysis->params, m_params);
}

void Workspace::takeAnalysis(const SharedAnalysis& analysis) {
  if (analysis->capture != m_capture) return;  // of a capture that was closed meanwhile
  const bool first = !m_analysis || m_analysis->capture != analysis->capture;
  m_analysis = analysis;
  if (!first) {
    requestSlice();
    return;
  }
  const CaptureInfo& info = m_capture->info();
  m_selection.reset(info, defaultSlice(*analysis));
  const auto cell = std::exchange(m_startCell, std::nullopt);
  if (!cell) return;
  const auto layer = std::find(info.layers.begin(), info.layers.end(), cell->layer);
  if (layer == info.layers.end()) {
    emit failed(tr("layer %1 was not captured; choose one that was").arg(cell->layer));
    return;
  }
  Cursor cursor = *cell;
  cursor.layer = static_cast<int>(layer - info.layers.begin());
  m_selection.lock(cursor);
}

void Workspace::requestSlice() {
  if (m_analysis) m_slices.request(m_analysis, m_selection.slice());
}

}  // namespace qaq::views
