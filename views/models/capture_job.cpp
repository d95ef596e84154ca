#include "views/models/capture_job.h"

#include <exception>
#include <utility>

#include "core/base/error.h"

namespace qaq::views {

class CaptureJob::Reporter : public Progress {
 public:
  explicit Reporter(CaptureJob* job) : m_job(job) {}
  void update(const ProgressState& state) override {
    const QString stage = QString::fromUtf8(state.stage.data(), qsizetype(state.stage.size()));
    QMetaObject::invokeMethod(m_job, [job = m_job, stage, done = state.done, total = state.total] {
      if (job->m_running) emit job->progressed(stage, done, total);
    });
  }

 private:
  CaptureJob* m_job;
};

CaptureJob::CaptureJob(CaptureMaker maker, QObject* parent)
    : QObject(parent), m_maker(std::move(maker)) {}

CaptureJob::~CaptureJob() { cancel(); }

void CaptureJob::start(const CaptureForm& form) {
  if (m_running) return;
  m_running = true;
  m_stop = std::stop_source();
  m_job.submit([this, make = m_maker.make, form, stop = m_stop.get_token()](const auto&) {
    QString error;
    bool stopped = false;
    try {
      Reporter reporter(this);
      make(form, Work(&reporter, stop));
    } catch (const Error& e) {
      stopped = e.kind() == ErrorKind::interrupted;
      error = QString::fromUtf8(e.what());
    } catch (const std::bad_alloc&) {
      error = tr("out of memory; capture fewer tokens or layers, or a smaller model");
    } catch (const std::exception& e) {
      error = QString::fromUtf8(e.what());
    }
    QMetaObject::invokeMethod(this, [=, this] { answer(form.output, error, stopped); });
  });
}

void CaptureJob::answer(const QString& path, const QString& error, bool stopped) {
  m_running = false;
  if (stopped) {
    emit cancelled();
  } else if (error.isEmpty()) {
    emit finished(path);
  } else {
    emit failed(error);
  }
}

}  // namespace qaq::views
