#include "views/models/workspace.h"

#include <algorithm>
#include <utility>

namespace qaq::views {

Workspace::Workspace(CaptureOpener opener, QObject* parent)
    : QObject(parent), m_loader(std::move(opener)) {
  connect(&m_loader, &CaptureLoader::finished, this, &Workspace::take);
  connect(&m_loader, &CaptureLoader::failed, this, &Workspace::openFailed);
  connect(&m_runner, &ReplayRunner::finished, this, &Workspace::takeAnalysis);
  connect(&m_runner, &ReplayRunner::failed, this, &Workspace::takeFailure);
  connect(&m_slices, &SliceLoader::failed, this, &Workspace::failed);
  connect(&m_slices, &SliceLoader::finished, this, &Workspace::takeSlice);
  connect(&m_selection, &SelectionModel::sliceChanged, this, &Workspace::requestSlice);
}

void Workspace::open(const QString& path, const std::optional<Cursor>& cell) {
  m_startCell = cell;
  emit loading(path);
  m_loader.request(path);
}

void Workspace::take(const QString& path, const SharedCapture& capture) {
  m_nextPath = path;
  m_next = capture;
  m_prefix = std::min(m_prefix, capture->info().n_tokens);
  run();
}

void Workspace::setParams(const ScopeParams& params, bool isFinal) {
  m_params = params;
  if (m_live) run(isFinal);
}

void Workspace::setPrefix(std::int64_t prefix, bool isFinal) {
  m_prefix = prefix;
  emit prefixChanged(prefix);
  if (m_live) run(isFinal);
}

void Workspace::prepare(const ScopeParams& params, std::int64_t prefix) {
  m_params = params;
  m_prefix = prefix;
  emit prefixChanged(prefix);
}

void Workspace::setLive(bool live) {
  m_live = live;
  if (live && m_analysis && !isCurrent()) run();
}

void Workspace::run(bool isFinal) {
  const SharedCapture& capture = m_next ? m_next : m_capture;
  if (!capture) return;
  m_runner.request({.capture = capture,
                    .params = m_params,
                    .prefix = m_prefix,
                    .through = isFinal ? Analysis::Stage::scores : Analysis::Stage::violations});
}

bool Workspace::isCurrent() const {
  if (!m_analysis || m_analysis->capture != m_capture) return false;
  const std::int64_t prefix = m_prefix == 0 ? m_capture->info().n_tokens : m_prefix;
  return m_analysis->replay->prefix == prefix && same_parameters(m_analysis->params, m_params);
}

void Workspace::takeAnalysis(const SharedAnalysis& analysis) {
  if (m_next && analysis->capture == m_next) {
    adopt(analysis);
  } else if (analysis->capture == m_capture) {
    m_analysis = analysis;
    lookAtViolations();
    requestSlice();
  }
}

void Workspace::lookAtViolations() {
  if (!m_untouched || m_analysis->stage < Analysis::Stage::violations) return;
  const bool untouched = m_selection.slice() == *m_untouched && !m_selection.locked();
  m_untouched.reset();
  if (untouched && !m_startCell) m_selection.setSlice(defaultSlice(*m_analysis));
}

void Workspace::takeFailure(const QString& line, const SharedCapture& capture) {
  // A capture that these parameters do not suit is opened all the same: they can be changed.
  if (m_next && capture == m_next) adopt(nullptr);
  emit failed(line);
}

void Workspace::adopt(const SharedAnalysis& analysis) {
  m_capture = std::exchange(m_next, nullptr);
  m_path = m_nextPath;
  m_analysis = analysis;
  m_shown = nullptr;
  // First, so that no coordinate of the old capture is looked up in the new one.
  m_selection.reset(m_capture->info(), analysis ? defaultSlice(*analysis) : Slice{});
  m_untouched = m_selection.slice();
  emit opened();
}

void Workspace::takeSlice(const SharedSlice& slice) {
  if (slice->analysis->capture != m_capture) return;
  m_shown = slice;
  emit changed();
  lockStartCell();
}

void Workspace::lockStartCell() {
  const auto cell = std::exchange(m_startCell, std::nullopt);
  if (!cell) return;
  const std::vector<std::int32_t>& layers = m_capture->info().layers;
  const auto layer = std::find(layers.begin(), layers.end(), cell->layer);
  if (layer == layers.end()) {
    emit failed(tr("layer %1 was not captured; choose one that was").arg(cell->layer));
    return;
  }
  Cursor cursor = *cell;
  cursor.layer = static_cast<int>(layer - layers.begin());
  m_selection.lock(cursor);
}

void Workspace::requestSlice() {
  if (m_analysis) m_slices.request(m_analysis, m_selection.slice());
}

}  // namespace qaq::views
