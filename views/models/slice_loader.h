#pragma once

#include <QObject>
#include <QString>
#include <cstdint>

#include "views/models/analysis.h"
#include "views/models/latest_job.h"

namespace qaq::views {

/// Makes the maps of the selected slice on a worker thread: the newest request wins.
class SliceLoader : public QObject {
  Q_OBJECT

 public:
  explicit SliceLoader(QObject* parent = nullptr);

  /// With `against`, the maps come first and once more with the comparison.
  void request(const SharedAnalysis& analysis, const Slice& slice,
               const AgainstRequest& against = {});
  bool busy() const { return m_answered != m_requested; }

 signals:
  void finished(const qaq::views::SharedSlice& maps);
  void failed(const QString& line);

 private:
  std::int64_t m_requested = 0;
  std::int64_t m_answered = 0;
  SharedSlice m_last;
  LatestJob m_job;
};

}  // namespace qaq::views
