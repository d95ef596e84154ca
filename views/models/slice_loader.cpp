#include "views/models/slice_loader.h"

#include <exception>

namespace qaq::views {

SliceLoader::SliceLoader(QObject* parent) : QObject(parent) {}

void SliceLoader::request(const SharedAnalysis& analysis, const Slice& slice,
                          const AgainstRequest& against) {
  const std::int64_t generation = ++m_requested;
  m_job.submit(
      [this, generation, analysis, slice, against, previous = m_last](const std::stop_token& stop) {
        const auto send = [this, generation](const SharedSlice& maps, bool isLast) {
          QMetaObject::invokeMethod(this, [=, this] {
            if (isLast) m_answered = generation;
            m_last = maps;
            emit finished(maps);
          });
        };
        try {
          const SharedSlice maps = loadSlice(analysis, slice, previous, against);
          const bool isWhole = !maps->against || maps->against->comparison;
          send(maps, isWhole);
          if (isWhole) return;
          const SharedSlice both = compared(maps, Work(nullptr, stop));
          send(both ? both : maps, true);
        } catch (const std::exception& e) {
          if (stop.stop_requested()) return;  // a newer request made it so
          QMetaObject::invokeMethod(this, [this, generation, error = QString::fromUtf8(e.what())] {
            m_answered = generation;
            emit failed(error);
          });
        }
      });
}

}  // namespace qaq::views
