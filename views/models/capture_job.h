#pragma once

#include <QObject>
#include <QString>
#include <stop_token>

#include "views/models/latest_job.h"
#include "views/models/reported_work.h"
#include "views/models/window_services.h"

namespace qaq::views {

/// Runs a model into a capture file on a worker thread, one at a time. Destroying it stops the work
/// and joins; a file that is not whole by then is gone.
class CaptureJob : public QObject {
  Q_OBJECT

 public:
  explicit CaptureJob(CaptureMaker maker, QObject* parent = nullptr);
  ~CaptureJob() override;

  const CaptureMaker& maker() const { return m_maker; }
  /// Does nothing while one runs.
  void start(const CaptureForm& form);
  void cancel() { m_stop.request_stop(); }
  bool isRunning() const { return m_running; }

 signals:
  void progressed(const QString& stage, qint64 done, qint64 total);
  /// The file is whole.
  void finished(const QString& path);
  void failed(const QString& line);
  void cancelled();

 private:
  void answer(const QString& path, const WorkEnd& end);

  CaptureMaker m_maker;
  bool m_running = false;
  std::stop_source m_stop;  ///< of what runs: a job that has not begun yet answers, too
  LatestJob m_job;
};

}  // namespace qaq::views
