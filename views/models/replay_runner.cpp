#include "views/models/replay_runner.h"

#include <QElapsedTimer>
#include <utility>

#include "core/base/error.h"

namespace qaq::views {

/// Passes progress on to the window's thread, at most thirty times a second.
class ReplayRunner::Reporter : public Progress {
 public:
  explicit Reporter(ReplayRunner* runner) : m_runner(runner) { m_since.start(); }

  void update(const ProgressState& state) override {
    if (m_since.elapsed() < 33) return;
    m_since.restart();
    const QString stage =
        QString::fromUtf8(state.stage.data(), static_cast<qsizetype>(state.stage.size()));
    QMetaObject::invokeMethod(m_runner,
                              [runner = m_runner, stage, done = state.done, total = state.total] {
                                if (runner->busy()) emit runner->progressed(stage, done, total);
                              });
  }

 private:
  ReplayRunner* m_runner;
  QElapsedTimer m_since;
};

ReplayRunner::ReplayRunner(QObject* parent) : QObject(parent) {}

void ReplayRunner::request(AnalysisRequest request) {
  const bool was_busy = busy();
  const std::int64_t generation = ++m_requested;
  if (!m_analyser || m_analyser->capture() != request.capture) {
    m_analyser = std::make_shared<Analyser>(request.capture);
    m_cache.keepOnly(request.capture);
  }
  if (const SharedAnalysis known = m_cache.find(request)) {
    m_job.cancel();  // what runs is of an older request
    QMetaObject::invokeMethod(
        this,
        [this, generation, known] {
          take(generation, {.capture = known->capture, .analysis = known, .error = {}});
        },
        Qt::QueuedConnection);
    if (!was_busy) emit started();
    return;
  }
  // Jobs run one at a time, so one analyser serves them all.
  m_job.submit([this, generation, request = std::move(request), previous = m_last,
                analyser = m_analyser](const std::stop_token& stop) {
    Reporter reporter(this);
    const auto send = [this, generation](const Answer& answer) {
      QMetaObject::invokeMethod(this, [this, generation, answer] { take(generation, answer); });
    };
    const auto publish = [&](const SharedAnalysis& stage) {
      send({.capture = request.capture, .analysis = stage, .error = {}, .isLast = false});
      m_job.release();
      // A newer setting matters more than what is left of this one.
      return m_requested == generation;
    };
    // Else a slider that is dragged without a rest would show nothing new of a large capture.
    m_job.hold();
    Answer answer{.capture = request.capture, .analysis = {}, .error = {}};
    try {
      answer.analysis = analyser->analyse(request, previous, Work(&reporter, stop), publish);
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::interrupted) answer.error = QString::fromUtf8(e.what());
    } catch (const std::exception& e) {
      answer.error = QString::fromUtf8(e.what());
    }
    send(answer);
  });
  if (!was_busy) emit started();
}

void ReplayRunner::cancel() {
  m_job.cancel();
  m_oldestWanted = m_requested + 1;
  if (!busy()) return;
  m_answered = m_requested;
  emit settled();
}

void ReplayRunner::take(std::int64_t generation, const Answer& answer) {
  if (generation < m_oldestWanted || generation <= m_answered) return;
  if (answer.isLast) m_answered = generation;
  if (answer.analysis) {
    m_last = answer.analysis;
    m_cache.insert(answer.analysis);
    emit finished(answer.analysis);
  } else if (!answer.error.isEmpty()) {
    emit failed(answer.error, answer.capture);
  }
  if (!busy()) emit settled();
}

}  // namespace qaq::views
