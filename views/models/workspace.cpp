#include "views/models/workspace.h"

#include <QFileInfo>
#include <algorithm>
#include <utility>

#include "core/base/error.h"

namespace qaq::views {

Workspace::Workspace(CaptureOpener opener, QObject* parent)
    : QObject(parent),
      m_opener(opener),
      m_loader(std::move(opener)),
      m_referenceFound([this](const auto& found) { m_takeFound(*found); },
                       [this](const QString& line) { emit referenceFailed(line); }) {
  connect(&m_referenceRunner, &ReplayRunner::finished, this, &Workspace::takeReference);
  connect(&m_referenceRunner, &ReplayRunner::failed, this, [this](const QString& line) {
    setComparing(false);
    emit referenceFailed(line);
  });
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
  runReference(isFinal);
}

void Workspace::runReference(bool isFinal) {
  if (!isComparing()) return;
  AnalysisRequest request = m_reference->request(m_params, m_prefix);
  const bool follows = m_reference->kind == Reference::Kind::shown;
  if (follows && !isFinal) request.through = Analysis::Stage::violations;
  m_referenceRunner.request(std::move(request));
}

void Workspace::setReference(std::optional<Reference> reference) {
  m_reference = std::move(reference);
  m_comparing = true;
  m_against = nullptr;
  if (m_reference) {
    runReference(true);
  } else {
    m_referenceRunner.cancel();
  }
  emit referenceChanged();
  requestSlice();
}

void Workspace::compareWith(const Reference& wanted) {
  Reference found = wanted;
  if (wanted.path.isEmpty() || isOpen(wanted.path)) {
    found.path = m_path;
    found.capture = m_capture;
    setReference(found);
    return;
  }
  m_takeFound = [this](const Reference& opened) { setReference(opened); };
  m_referenceFound.request([opener = m_opener, found](const Work& work) mutable {
    found.capture = opener(found.path.toStdString(), work);
    return std::make_shared<const Reference>(found);
  });
}

void Workspace::setComparing(bool comparing) {
  m_comparing = comparing;
  if (comparing) runReference(true);
  emit referenceChanged();
  requestSlice();
}

bool Workspace::isOpen(const QString& path) const {
  // The same file by whatever way, links included.
  const auto place = [](const QString& name) {
    const QString canonical = QFileInfo(name).canonicalFilePath();
    return canonical.isEmpty() ? QFileInfo(name).absoluteFilePath() : canonical;
  };
  return m_capture && place(path) == place(m_path);
}

void Workspace::compareWith(const QString& path, const QString& run, TakeReference take) {
  if (!take) take = [this](const Reference& found) { setReference(found); };
  m_takeFound = std::move(take);
  m_referenceFound.request([opener = m_opener, reader = m_runReader, path, run,
                            open = isOpen(path) ? m_capture : nullptr](const Work& work) {
    const std::string file = path.toStdString();
    Reference found{.kind = open ? Reference::Kind::whole : Reference::Kind::shown,
                    .label = path.section(QLatin1Char('/'), -1),
                    .path = path,
                    .capture = open ? open : opener(file, work)};
    if (run.isEmpty()) {
      if (open) found.label = tr("the whole cache");
      return std::make_shared<const Reference>(found);
    }
    const auto runs = reader ? reader(file, work) : std::vector<RunSummary>();
    const auto at = std::ranges::find(runs, run.toStdString(), &RunSummary::name);
    if (at == runs.end()) {
      refuse_input({.file = file,
                    .what = "has no run '" + run.toStdString() + "'",
                    .cure = "qaq info lists the runs of a capture"});
    }
    found.kind = Reference::Kind::setting;
    found.label = open ? run : found.label + QLatin1Char('#') + run;
    take_policy(found.params, at->params);
    found.prefix = at->prefix;
    return std::make_shared<const Reference>(found);
  });
}

void Workspace::swap(const QString& label) {
  if (!m_reference || !m_capture) return;
  const AnalysisRequest next = m_reference->request(m_params, m_prefix);
  Reference now{.kind = m_reference->kind == Reference::Kind::shown ? Reference::Kind::shown
                                                                    : Reference::Kind::setting,
                .label = label,
                .path = m_path,
                .capture = m_capture,
                .params = m_params,
                .prefix = m_prefix};
  const QString path = m_reference->path;
  m_params = next.params;
  m_prefix = next.prefix;
  m_comparing = true;
  m_reference = now;
  if (next.capture == m_capture && m_against) {
    std::swap(m_analysis, m_against);
    requestSlice();
  } else {
    m_against = nullptr;
  }
  if (next.capture != m_capture) {
    m_nextPath = path;
    m_next = next.capture;
    m_swapped = true;
  }
  emit prefixChanged(m_prefix);
  emit referenceChanged();
  run();
}

void Workspace::takeReference(const SharedAnalysis& analysis) {
  if (!isComparing() || analysis->capture != m_reference->capture) return;
  m_against = analysis;
  requestSlice();
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
  // A setting of a capture that is closed is no reference any more, unless the two were swapped.
  const bool isGone = m_reference && m_reference->capture == m_capture;
  if (!std::exchange(m_swapped, false) && isGone) setReference(std::nullopt);
  m_capture = std::exchange(m_next, nullptr);
  m_path = m_nextPath;
  m_analysis = analysis;
  m_shown = nullptr;
  m_diagnosis = nullptr;
  // First, so that no coordinate of the old capture is looked up in the new one.
  m_selection.reset(m_capture->info(), analysis ? defaultSlice(*analysis) : Slice{});
  m_untouched = m_selection.slice();
  emit opened();
}

void Workspace::takeSlice(const SharedSlice& slice) {
  if (slice->analysis->capture != m_capture) return;
  m_shown = withDiagnosis(slice);
  emit changed();
  lockStartCell();
}

SharedSlice Workspace::withDiagnosis(const SharedSlice& slice) const {
  if (slice->diagnosis == m_diagnosis) return slice;
  auto copy = std::make_shared<SliceMaps>(*slice);
  copy->diagnosis = m_diagnosis;
  return copy;
}

void Workspace::setDiagnosis(SharedDiagnosis diagnosis) {
  m_diagnosis = std::move(diagnosis);
  if (!m_shown) return;
  m_shown = withDiagnosis(m_shown);
  emit changed();
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
  if (!m_analysis) return;
  // The last picture of both stays until A is there.
  if (isComparing() && !m_against && m_shown && m_shown->against) return;
  AgainstRequest against;
  if (isComparing()) against = {m_reference->label, m_against};
  m_slices.request(m_analysis, m_selection.slice(), against);
}

}  // namespace qaq::views
