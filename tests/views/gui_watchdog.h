#pragma once

#include <QApplication>
#include <algorithm>
#include <chrono>
#include <fstream>

namespace qaq::views::test {

/// An application that knows how long each event kept its thread. Time in which the thread could
/// have run but the machine ran something else does not count: tests share machines.
class WatchedApplication : public QApplication {
 public:
  using QApplication::QApplication;

  bool notify(QObject* receiver, QEvent* event) override {
    if (m_depth > 0) return QApplication::notify(receiver, event);  // a part of what is measured
    ++m_depth;
    // Of both nothing may be left afterwards.
    const char* const name = receiver->metaObject()->className();
    const QEvent::Type type = event->type();
    const double began = ownMilliseconds();
    const bool result = QApplication::notify(receiver, event);
    const double took = ownMilliseconds() - began;
    if (took > m_longest) {
      m_longest = took;
      m_longestOf = QStringLiteral("event %1 to %2").arg(type).arg(QLatin1String(name));
    }
    --m_depth;
    return result;
  }
  void forget() {
    m_longest = 0;
    m_longestOf.clear();
  }
  double longest() const { return m_longest; }
  const QString& longestOf() const { return m_longestOf; }

 private:
  /// Wall time less the time spent waiting for a processor.
  static double ownMilliseconds() {
    using namespace std::chrono;
    const double wall =
        duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
    std::ifstream schedule("/proc/thread-self/schedstat");
    std::uint64_t ran = 0, waited = 0;
    schedule >> ran >> waited;
    return wall - static_cast<double>(waited) / 1e6;
  }

  int m_depth = 0;
  double m_longest = 0;
  QString m_longestOf;
};

}  // namespace qaq::views::test
