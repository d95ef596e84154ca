#include "core/base/worker.h"

#include <utility>

namespace qaq {

Worker::Worker() : thread_([this](const std::stop_token& stop) { serve(stop); }) {}

void Worker::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(work));
  }
  arrived_.notify_one();
}

void Worker::serve(const std::stop_token& stop) {
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

}  // namespace qaq
