#include "views/models/capture_job.h"

#include <utility>

namespace qaq::views {

CaptureJob::CaptureJob(CaptureMaker maker, QObject* parent)
    : QObject(parent), m_maker(std::move(maker)) {}

CaptureJob::~CaptureJob() { cancel(); }

void CaptureJob::start(const CaptureForm& form) {
  if (m_running) return;
  m_running = true;
  m_stop = std::stop_source();
  m_job.submit([this, make = m_maker.make, form, stop = m_stop.get_token()](const auto&) {
    const WorkEnd end = runReported(
        this, stop, tr("capture fewer tokens or layers, or a smaller model"),
        [&](const Work& work) { make(form, work); },
        [this](const QString& stage, qint64 done, qint64 total) {
          if (m_running) emit progressed(stage, done, total);
        });
    QMetaObject::invokeMethod(this, [this, path = form.output, end] { answer(path, end); });
  });
}

void CaptureJob::answer(const QString& path, const WorkEnd& end) {
  m_running = false;
  if (end.stopped) {
    emit cancelled();
  } else if (end.error.isEmpty()) {
    emit finished(path);
  } else {
    emit failed(end.error);
  }
}

}  // namespace qaq::views
