#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>

namespace qaq::h5 {

/// The one thread that talks to the HDF5 library, which keeps global state. Every call into it, of
/// every reader and writer, goes through run().
class Thread {
 public:
  Thread();

  /// Calls `work` on the HDF5 thread and waits; returns what it returns, throws what it throws.
  /// Called from the HDF5 thread itself it simply calls.
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
  void post(std::function<void()> task);
  void serve(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<std::function<void()>> tasks_;
  std::jthread thread_;  // last: it uses the others
};

/// Started at the first use, joined when the program ends.
Thread& thread();

}  // namespace qaq::h5
