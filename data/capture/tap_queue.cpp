#include "data/capture/tap_queue.h"

#include <algorithm>
#include <utility>

namespace qaq {

TapQueue::TapQueue(std::function<void(const TapBlock&)> handle, Start start)
    : handle_(std::move(handle)), start_(std::move(start)) {}

void TapQueue::push(const TapBlock& block) {
  bool start = false;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    waiting_.push_back(block);
    waiting_bytes_ += block.bytes.size();
    largest_bytes_ = std::max(largest_bytes_, block.bytes.size());
    start = !std::exchange(handling_, true);
  }
  if (start) start_([this] { handle_waiting(); });
  if (!block.owner) drain();
}

void TapQueue::drain() {
  std::unique_lock lock(mutex_);
  draining_ = true;
  idle_.wait(lock, [this] { return !handling_; });
  draining_ = false;
  if (failure_) std::rethrow_exception(failure_);
}

void TapQueue::stop() {
  std::unique_lock lock(mutex_);
  waiting_.clear();
  idle_.wait(lock, [this] { return !handling_; });
}

bool TapQueue::lags_behind() const {
  const std::lock_guard lock(mutex_);
  return draining_ || waiting_bytes_ >= largest_bytes_;
}

void TapQueue::handle_waiting() {
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    // The block goes before the lock is taken again: its engine may wait for the memory.
    try {
      const TapBlock block = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= block.bytes.size();
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
