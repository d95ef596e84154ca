#pragma once

#include <QObject>
#include <QString>
#include <functional>
#include <stop_token>

#include "core/base/progress.h"

namespace qaq::views {

/// How work on another thread has ended.
struct WorkEnd {
  QString error;         ///< empty: it is done
  bool stopped = false;  ///< somebody wanted it to stop; `error` says so
};

/// Runs `work` on the calling thread, and `told` with every progress of it on the thread of
/// `receiver`, which outlives the call. `smaller` says what would need less memory: "capture fewer
/// tokens".
WorkEnd runReported(
    QObject* receiver, const std::stop_token& stop, const QString& smaller,
    const std::function<void(const Work&)>& work,
    const std::function<void(const QString& stage, qint64 done, qint64 total)>& told);

}  // namespace qaq::views
