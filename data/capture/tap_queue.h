#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>

#include "core/engine/tap.h"

namespace qaq {

/// Hands taps to a thread beside the engine's, in order, so that the model runs on while a layer is
/// written. Blocks that may be held wait in the queue (their engine bounds how many); others are
/// handled before push() returns.
class TapQueue {
 public:
  /// `handle` is called for one block at a time.
  explicit TapQueue(std::function<void(const TapBlock&)> handle);
  ~TapQueue() { stop(); }
  TapQueue(const TapQueue&) = delete;
  TapQueue& operator=(const TapQueue&) = delete;

  /// Throws what handling an earlier block threw; nothing is handled after that.
  void push(const TapBlock& block);
  /// Handles what waits, on the calling thread, which has nothing else to do, and returns when all
  /// is handled. Throws as push().
  void drain();
  /// Drops what was not handled yet and waits for the block that is being handled. Nothing is
  /// pushed afterwards.
  void stop();

 private:
  enum class Who { beside, drain };
  void handle_waiting(Who who);

  std::function<void(const TapBlock&)> handle_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<TapBlock> waiting_;
  bool handling_ = false;  ///< somebody works on the queue, or was asked to
  bool draining_ = false;  ///< drain() wants to go on with it
  std::exception_ptr failure_;
};

}  // namespace qaq
