#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

namespace qaq::views {

/// A worker thread for work of which only the newest matters. Jobs run one at a time; a job that
/// waits gives way to a newer one. A job that runs is let finish, so that previews keep coming
/// while a slider is dragged, unless it has run for longer than `patience`: then it is asked to
/// stop.
class LatestJob {
 public:
  using Job = std::function<void(const std::stop_token&)>;

  explicit LatestJob(std::chrono::milliseconds patience = std::chrono::milliseconds(500));
  /// Drops what waits, asks what runs to stop, and joins.
  ~LatestJob();
  LatestJob(const LatestJob&) = delete;
  LatestJob& operator=(const LatestJob&) = delete;

  /// Must not throw inside: a job handles its own errors.
  void submit(Job job);
  /// Drops what waits and asks what runs to stop.
  void cancel();
  /// Called by a job: newer ones do not stop it until release(), from when patience counts anew.
  void hold();
  void release();

 private:
  using Clock = std::chrono::steady_clock;
  void run(const std::stop_token& closing);

  const std::chrono::milliseconds m_patience;
  std::mutex m_mutex;
  std::condition_variable_any m_wake;
  std::optional<Job> m_next;
  std::stop_source m_running{std::nostopstate};
  Clock::time_point m_started;
  bool m_held = false;
  std::jthread m_thread;  // last: it uses all of the above
};

}  // namespace qaq::views
