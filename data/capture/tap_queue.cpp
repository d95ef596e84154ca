#include "data/capture/tap_queue.h"

#include <utility>

namespace qaq {

TapQueue::TapQueue(std::function<void(const TapBlock&)> handle)
    : handle_(std::move(handle)), thread_([this](const std::stop_token& stop) { serve(stop); }) {}

void TapQueue::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void TapQueue::push(const TapBlock& block) {
  {
    const std::lock_guard lock(mutex_);
    rethrow_failure();
    blocks_.push_back(block);
  }
  arrived_.notify_one();
  if (!block.owner) drain();
}

void TapQueue::drain() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return blocks_.empty(); });
  rethrow_failure();
}

void TapQueue::rethrow_failure() {
  if (failure_) std::rethrow_exception(failure_);
}

void TapQueue::serve(const std::stop_token& stop) {
  while (true) {
    const TapBlock* block = nullptr;
    {
      std::unique_lock lock(mutex_);
      if (!arrived_.wait(lock, stop, [this] { return !blocks_.empty(); })) return;
      block = &blocks_.front();  // stays where it is: push() only appends
    }
    try {
      handle_(*block);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      blocks_.clear();
      idle_.notify_all();
      return;
    }
    const std::lock_guard lock(mutex_);
    blocks_.pop_front();
    if (blocks_.empty()) idle_.notify_all();
  }
}

}  // namespace qaq
