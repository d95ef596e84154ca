#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>

namespace qaq {

/// A thread that does one piece of work after the other, in order. For what waits (for a disk) or
/// may be done by one thread only; what computes belongs into parallel_for.
class Worker {
 public:
  Worker();

  /// Has `work` called there, after all that was handed over before. It must not throw. The
  /// destructor waits until all is done.
  void post(std::function<void()> work);

  /// Calls `work` there and waits; returns what it returns, throws what it throws. Called from the
  /// worker itself it simply calls.
  template <class Work>
  auto run(Work&& work) -> std::invoke_result_t<Work&> {
    if (std::this_thread::get_id() == thread_.get_id()) return work();
    // Shared: the thread may still be leaving the task when its result is already taken.
    auto task = std::make_shared<std::packaged_task<std::invoke_result_t<Work&>()>>(std::ref(work));
    auto result = task->get_future();
    post([task] { (*task)(); });
    return result.get();
  }

 private:
  void serve(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<std::function<void()>> tasks_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace qaq
