#include "views/models/diagnoser.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "core/base/parameters.h"

namespace qaq::views {

bool DiagnosisResult::isOf(const ScopeParams& params) const {
  return same_parameters(request.params, params);
}

bool DiagnosisResult::hasDivergence() const {
  return diagnosis.explained().verdict == StepVerdict::diverged;
}

DiagnosisForm diagnosisForm(const CaptureInfo& info) {
  // What was generated met a cache of the prompt.
  return {.prefix = static_cast<int>(info.n_prompt)};
}

Diagnoser::Diagnoser(DiagnosisMaker maker, QObject* parent)
    : QObject(parent), m_maker(std::move(maker)) {}

Diagnoser::~Diagnoser() { cancel(); }

void Diagnoser::start(const DiagnosisRequest& request) {
  if (m_running || !isOffered()) return;
  m_running = true;
  m_cancelled = false;
  m_error.clear();
  m_stop = std::stop_source();
  const int generation = ++m_generation;
  m_job.submit(
      [this, generation, make = m_maker.make, request, stop = m_stop.get_token()](const auto&) {
        SharedDiagnosis made;
        const WorkEnd end = runReported(
            this, stop, tr("quantize fewer tokens, or take a smaller model"),
            [&](const Work& work) { made = make(request, work); },
            [this, generation](const QString& stage, qint64 done, qint64 total) {
              if (m_running && m_generation == generation) emit progressed(stage, done, total);
            });
        QMetaObject::invokeMethod(this,
                                  [this, generation, made, end] { answer(generation, made, end); });
      });
  emit changed();
}

void Diagnoser::answer(int generation, const SharedDiagnosis& made, const WorkEnd& end) {
  if (generation != m_generation) return;
  m_running = false;
  m_cancelled = end.stopped;
  if (made) {
    m_result = made;
    m_step = static_cast<int>(made->diagnosis.step);
  } else if (!end.stopped) {
    m_error = end.error;
  }
  emit changed();
  if (made) {
    emit resultChanged();
    emit stepChanged(m_step);
  } else if (!end.stopped) {
    emit failed(end.error);
  }
}

void Diagnoser::forget() {
  cancel();
  ++m_generation;
  m_running = m_cancelled = false;
  m_error.clear();
  const bool had = std::exchange(m_result, nullptr) != nullptr;
  emit changed();
  if (had) emit resultChanged();
}

void Diagnoser::setStep(int step) {
  if (!m_result || step < 0 || step >= std::ssize(m_result->diagnosis.steps)) return;
  m_step = step;
  emit stepChanged(step);
}

std::optional<int> Diagnoser::failure(int by) const {
  if (!m_result) return std::nullopt;
  const auto& steps = m_result->diagnosis.steps;
  for (int at = m_step + by; at >= 0 && at < std::ssize(steps); at += by) {
    if (steps[static_cast<std::size_t>(at)].verdict == StepVerdict::diverged) return at;
  }
  return std::nullopt;
}

void Diagnoser::exportReport(const QString& path, std::vector<PagePicture> pictures) {
  if (!m_result || !m_maker.write || m_writing) return;
  m_writing = true;
  m_writer.submit([this, path, write = m_maker.write, result = m_result,
                   shown = std::move(pictures)](const std::stop_token& stop) {
    QString error;
    try {
      write(path, *result, shown, Work(nullptr, stop));
    } catch (const std::exception& e) {
      error = QString::fromUtf8(e.what());
    }
    QMetaObject::invokeMethod(this, [this, path, error] {
      m_writing = false;
      if (error.isEmpty()) {
        emit exported(path);
      } else {
        emit failed(error);
      }
    });
  });
}

}  // namespace qaq::views
