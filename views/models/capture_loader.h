#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <functional>

#include "views/models/analysis.h"
#include "views/models/latest_job.h"

namespace qaq::views {

/// Opens a capture by its path; given by the program, because file formats are not known here.
using CaptureOpener = std::function<SharedCapture(const std::string& path, const Work& work)>;

/// Opens captures on a worker thread; the newest request wins.
class CaptureLoader : public QObject {
  Q_OBJECT

 public:
  explicit CaptureLoader(CaptureOpener opener, QObject* parent = nullptr);

  void request(const QString& path);
  bool busy() const { return m_answered != m_requested; }

 signals:
  void finished(const QString& path, const qaq::views::SharedCapture& capture);
  void failed(const QString& path, const QString& line);

 private:
  void answer(std::int64_t generation, const QString& path, const SharedCapture& capture,
              const QString& error);

  CaptureOpener m_opener;
  std::int64_t m_requested = 0;
  std::int64_t m_answered = 0;
  LatestJob m_job{std::chrono::milliseconds(0)};
};

}  // namespace qaq::views
