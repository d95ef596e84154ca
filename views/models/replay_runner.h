#pragma once

#include <QObject>
#include <QString>
#include <atomic>
#include <cstdint>
#include <memory>

#include "views/models/analysis.h"
#include "views/models/latest_job.h"
#include "views/models/replay_cache.h"

namespace qaq::views {

/// Replays on a worker thread, stage by stage. Requests coalesce: the newest wins, and what runs is
/// let finish a stage, so that a slider that is dragged is followed. What was replayed lately is
/// answered without work. Signals come in the thread of this object. Destroying it stops the work
/// and joins.
class ReplayRunner : public QObject {
  Q_OBJECT

 public:
  explicit ReplayRunner(QObject* parent = nullptr);

  void request(AnalysisRequest request);
  /// Stops what runs; finished() is not sent for it.
  void cancel();
  /// True from a request until the answer to the newest one was delivered.
  bool busy() const { return m_answered != m_requested; }

 signals:
  void started();
  void progressed(const QString& stage, qint64 done, qint64 total);
  /// A stage is whole; of one request they come in order.
  void finished(const qaq::views::SharedAnalysis& analysis);
  /// `line` says what was wrong and how to mend it. The last result still stands.
  void failed(const QString& line, const qaq::views::SharedCapture& capture);
  /// busy() has become false: finished, failed or cancelled.
  void settled();

 private:
  class Reporter;
  struct Answer {
    SharedCapture capture;    ///< of the request
    SharedAnalysis analysis;  ///< null where it failed or was stopped
    QString error;            ///< empty where it was stopped
    bool isLast = true;       ///< stage of the request
  };
  void take(std::int64_t generation, const Answer& answer);

  std::atomic<std::int64_t> m_requested = 0;
  std::int64_t m_answered = 0;
  std::int64_t m_oldestWanted = 0;  ///< answers below it are of a cancelled request
  SharedAnalysis m_last;
  ReplayCache m_cache;                   ///< what was asked lately is answered at once
  std::shared_ptr<Analyser> m_analyser;  ///< of the capture last asked about
  LatestJob m_job;
};

}  // namespace qaq::views
