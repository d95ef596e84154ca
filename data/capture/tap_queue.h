#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>

#include "core/base/parallel.h"
#include "core/engine/tap.h"

namespace qaq {

/// Hands taps to a thread beside the engine's, in order, so that the model runs on while a layer is
/// looked at or written. Blocks that may be held wait in the queue (their engine bounds how many);
/// others are handled before push() returns.
class TapQueue {
 public:
  /// `handle` is called for one block at a time. `start` has what it is given called soon on
  /// another thread: run_beside where handling computes, a Worker where it waits for a disk.
  using Start = std::function<void(std::function<void()>)>;
  explicit TapQueue(std::function<void(const TapBlock&)> handle, Start start = run_beside);
  ~TapQueue() { stop(); }
  TapQueue(const TapQueue&) = delete;
  TapQueue& operator=(const TapQueue&) = delete;

  /// Throws what handling an earlier block threw; nothing is handled after that.
  void push(const TapBlock& block);
  /// Whether as much waits as the largest block, beside the one that is being handled, or the rest
  /// is only waited for: whoever pushes will soon wait.
  bool lags_behind() const;
  /// Returns when all is handled. Throws as push().
  void drain();
  /// Drops what was not handled yet and waits for the block that is being handled. Nothing is
  /// pushed afterwards.
  void stop();

 private:
  void handle_waiting();

  std::function<void(const TapBlock&)> handle_;
  Start start_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<TapBlock> waiting_;
  bool handling_ = false;  ///< somebody works on the queue, or was asked to
  bool draining_ = false;
  std::size_t waiting_bytes_ = 0, largest_bytes_ = 1;
  std::exception_ptr failure_;
};

}  // namespace qaq
