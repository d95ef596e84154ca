#include "data/capture/tap_queue.h"

#include <utility>

#include "core/base/parallel.h"

namespace qaq {

TapQueue::TapQueue(std::function<void(const TapBlock&)> handle) : handle_(std::move(handle)) {}

void TapQueue::push(const TapBlock& block) {
  bool start = false;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    waiting_.push_back(block);
    start = !std::exchange(handling_, true);
  }
  if (start) run_beside([this] { handle_waiting(Who::beside); });
  if (!block.owner) drain();
}

void TapQueue::drain() {
  std::unique_lock lock(mutex_);
  // Beside this thread only half of a block's work finds a processor; from here both do.
  draining_ = true;
  idle_.wait(lock, [this] { return !handling_; });
  draining_ = false;
  if (!waiting_.empty()) {
    handling_ = true;
    lock.unlock();
    handle_waiting(Who::drain);
    lock.lock();
  }
  if (failure_) std::rethrow_exception(failure_);
}

void TapQueue::stop() {
  std::unique_lock lock(mutex_);
  waiting_.clear();
  idle_.wait(lock, [this] { return !handling_; });
}

void TapQueue::handle_waiting(Who who) {
  std::unique_lock lock(mutex_);
  while (!waiting_.empty() && !(who == Who::beside && draining_)) {
    // The block goes before the lock is taken again: its engine may wait for the memory.
    try {
      const TapBlock block = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      handle_(block);
    } catch (...) {
      lock.lock();
      failure_ = std::current_exception();
      waiting_.clear();
      break;
    }
    lock.lock();
  }
  handling_ = false;
  // Under the lock: whoever waits may destroy the queue as soon as it is given up.
  idle_.notify_all();
}

}  // namespace qaq
