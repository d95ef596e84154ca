#include "views/models/slice_loader.h"

#include <exception>

namespace qaq::views {

SliceLoader::SliceLoader(QObject* parent) : QObject(parent) {}

void SliceLoader::request(const SharedAnalysis& analysis, const Slice& slice) {
  const std::int64_t generation = ++m_requested;
  m_job.submit([this, generation, analysis, slice, previous = m_last](const std::stop_token&) {
    SharedSlice maps;
    QString error;
    try {
      maps = loadSlice(analysis, slice, previous);
    } catch (const std::exception& e) {
      error = QString::fromUtf8(e.what());
    }
    QMetaObject::invokeMethod(this, [=, this] {
      m_answered = generation;
      if (maps) {
        m_last = maps;
        emit finished(maps);
      } else {
        emit failed(error);
      }
    });
  });
}

}  // namespace qaq::views
