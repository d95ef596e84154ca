#include "views/models/capture_loader.h"

#include <exception>
#include <utility>

namespace qaq::views {

CaptureLoader::CaptureLoader(CaptureOpener opener, QObject* parent)
    : QObject(parent), m_opener(std::move(opener)) {}

void CaptureLoader::request(const QString& path) {
  const std::int64_t generation = ++m_requested;
  m_job.submit([this, generation, path](const std::stop_token& stop) {
    SharedCapture capture;
    QString error;
    try {
      capture = m_opener(path.toStdString(), Work(nullptr, stop));
    } catch (const std::exception& e) {
      error = QString::fromUtf8(e.what());
    }
    QMetaObject::invokeMethod(this, [=, this] { answer(generation, path, capture, error); });
  });
}

void CaptureLoader::answer(std::int64_t generation, const QString& path,
                           const SharedCapture& capture, const QString& error) {
  // A file that gave way to a newer request is neither shown nor complained about.
  if (generation != m_requested) return;
  m_answered = generation;
  if (capture) {
    emit finished(path, capture);
  } else {
    emit failed(path, error);
  }
}

}  // namespace qaq::views
