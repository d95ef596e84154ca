#pragma once

#include <QObject>
#include <QString>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "views/models/latest_job.h"

namespace qaq::views {

/// What one view alone computes from a result, on a worker thread: the newest request wins. `ready`
/// and `failed` are called in the thread of this object; what runs is stopped and joined when it is
/// destroyed.
template <class T>
class Derived : public QObject {
 public:
  using Shared = std::shared_ptr<const T>;
  using Make = std::function<Shared(const Work& work)>;

  Derived(std::function<void(const Shared&)> ready, std::function<void(const QString&)> failed)
      : m_ready(std::move(ready)), m_failed(std::move(failed)) {}

  /// `make` runs on the worker and must own what it refers to.
  void request(Make make) {
    const std::int64_t generation = ++m_requested;
    m_job.submit([this, generation, make = std::move(make)](const std::stop_token& stop) {
      Shared made;
      QString error;
      bool stopped = false;
      try {
        made = make(Work(nullptr, stop));
      } catch (const Error& e) {
        stopped = e.kind() == ErrorKind::interrupted;
        if (!stopped) error = QString::fromUtf8(e.what());
      } catch (const std::exception& e) {
        error = QString::fromUtf8(e.what());
      }
      if (stopped) return;  // a newer request made it so
      QMetaObject::invokeMethod(this, [=, this] { answer(generation, made, error); });
    });
  }
  bool isReady() const { return m_answered == m_requested; }

 private:
  void answer(std::int64_t generation, const Shared& made, const QString& error) {
    if (generation <= m_answered) return;
    m_answered = generation;
    if (made) {
      m_ready(made);
    } else {
      m_failed(error);
    }
  }

  std::function<void(const Shared&)> m_ready;
  std::function<void(const QString&)> m_failed;
  std::int64_t m_requested = 0;
  std::int64_t m_answered = 0;
  LatestJob m_job;
};

}  // namespace qaq::views
