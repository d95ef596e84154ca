#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "core/engine/tap.h"

namespace qaq::test {

/// A slow disk without a clock: blocks are handed to `target` by a thread of its own, and not
/// before more than `late_bytes` of them are held or finish() is called.
class LateSink : public TapSink {
 public:
  LateSink(TapSink& target, std::int64_t late_bytes)
      : target_(target), late_bytes_(late_bytes), thread_([this] { serve(); }) {}
  ~LateSink() override { finish(); }

  bool wants(TapKind what, std::int64_t layer, std::int64_t first_row,
             std::int64_t n_rows) const override {
    return target_.wants(what, layer, first_row, n_rows);
  }

  void put(const TapBlock& block) override {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(block);
    held_bytes_ += std::ssize(block.bytes);
    most_held_bytes_ = std::max(most_held_bytes_, held_bytes_);
    changed_.notify_one();
  }

  /// Hands on what is left.
  void finish() {
    {
      const std::lock_guard lock(mutex_);
      finished_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  /// The most that was held at a time; to be asked after finish().
  std::int64_t most_held_bytes() const { return most_held_bytes_; }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return finished_ || held_bytes_ > late_bytes_; });
      if (waiting_.empty()) return;
      {
        const TapBlock block = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        target_.put(block);
        lock.lock();
        held_bytes_ -= std::ssize(block.bytes);
      }
    }
  }

  TapSink& target_;
  const std::int64_t late_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TapBlock> waiting_;
  std::int64_t held_bytes_ = 0, most_held_bytes_ = 0;
  bool finished_ = false;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace qaq::test
