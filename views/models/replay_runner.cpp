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
  m_job.submit([this, generation, request = std::move(request),
                previous = m_last](const std::stop_token& stop) {
    Reporter reporter(this);
    SharedAnalysis analysis;
    QString error;
    try {
      analysis = analyse(request, previous, Work(&reporter, stop));
    } catch (const Error& e) {
      if (e.kind() != ErrorKind::interrupted) error = QString::fromUtf8(e.what());
    } catch (const std::exception& e) {
      error = QString::fromUtf8(e.what());
    }
    QMetaObject::invokeMethod(this, [=, this] { answer(generation, analysis, error); });
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

void ReplayRunner::answer(std::int64_t generation, const SharedAnalysis& analysis,
                          const QString& error) {
  if (generation < m_oldestWanted || generation <= m_answered) return;
  m_answered = generation;
  if (analysis) {
    m_last = analysis;
    emit finished(analysis);
  } else if (!error.isEmpty()) {
    emit failed(error);
  }
  if (!busy()) emit settled();
}

}  // namespace qaq::views
