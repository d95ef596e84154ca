#include "data/capture/h5_thread.h"

#include <hdf5.h>
#include <utility>

namespace qaq::h5 {

Thread::Thread() : thread_([this](const std::stop_token& stop) { serve(stop); }) {}

void Thread::post(std::function<void()> task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  arrived_.notify_one();
}

void Thread::serve(const std::stop_token& stop) {
  // At the end of the program the library would close files again that a full disk kept it from
  // closing, and crash: it has freed them. Files are closed by who opened them.
  H5dont_atexit();
  // The library would print its error stack; h5_error reads it instead.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      if (!arrived_.wait(lock, stop, [this] { return !tasks_.empty(); })) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

Thread& thread() {
  static Thread the_thread;
  return the_thread;
}

}  // namespace qaq::h5
