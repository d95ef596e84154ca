#pragma once

#include <QObject>
#include <stop_token>

#include "views/models/diagnosis_service.h"
#include "views/models/latest_job.h"
#include "views/models/reported_work.h"

namespace qaq::views {

/// The diagnosis of the open capture: runs the model on a worker thread, one at a time, and keeps
/// what came of it, with the step that is looked at. Destroying it stops the work and joins.
class Diagnoser : public QObject {
  Q_OBJECT

 public:
  explicit Diagnoser(DiagnosisMaker maker, QObject* parent = nullptr);
  ~Diagnoser() override;

  const DiagnosisMaker& maker() const { return m_maker; }
  /// The program can run models.
  bool isOffered() const { return static_cast<bool>(m_maker.make); }
  /// Does nothing while one runs. The last result stays until the new one is whole.
  void start(const DiagnosisRequest& request);
  void cancel() { m_stop.request_stop(); }
  bool isRunning() const { return m_running; }
  /// Of a capture that is closed: stops, and drops the result.
  void forget();

  /// Null: there is none yet.
  const SharedDiagnosis& result() const { return m_result; }
  /// Why the last one failed; empty: it did not.
  const QString& error() const { return m_error; }
  bool wasCancelled() const { return m_cancelled; }

  /// Index of the step that is looked at; of a new result the explained one.
  int step() const { return m_step; }
  void setStep(int step);
  /// The next step that diverged, from the one looked at on; -1: the one before. Nothing: there is
  /// none.
  std::optional<int> failure(int by) const;

  /// Writes a report with these pictures; exported() or failed(). Does nothing while one is
  /// written.
  void exportReport(const QString& path, std::vector<PagePicture> pictures);
  bool isBusy() const { return m_running || m_writing; }

 signals:
  void progressed(const QString& stage, qint64 done, qint64 total);
  /// result(), isRunning(), error() or wasCancelled().
  void changed();
  /// result() is another.
  void resultChanged();
  void stepChanged(int step);
  void failed(const QString& line);
  void exported(const QString& path);

 private:
  void answer(int generation, const SharedDiagnosis& made, const WorkEnd& end);

  DiagnosisMaker m_maker;
  SharedDiagnosis m_result;
  QString m_error;
  bool m_cancelled = false;
  bool m_running = false;
  bool m_writing = false;
  int m_generation = 0;  ///< a job of a capture that was closed answers in vain
  int m_step = 0;
  std::stop_source m_stop;  ///< of what runs: a job that has not begun yet answers, too
  LatestJob m_writer;
  LatestJob m_job;
};

}  // namespace qaq::views
