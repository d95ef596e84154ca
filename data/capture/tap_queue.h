#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

#include "core/engine/tap.h"

namespace qaq {

/// Hands taps to a thread of its own, in order, so that the model runs on while a layer is written.
/// Blocks that may be held wait in the queue (their engine bounds how many); others are handled
/// before push() returns.
class TapQueue {
 public:
  /// `handle` is called for each block, on the queue's thread.
  explicit TapQueue(std::function<void(const TapBlock&)> handle);
  ~TapQueue() { stop(); }

  /// Throws what handling an earlier block threw; nothing is handled after that.
  void push(const TapBlock& block);
  /// Waits until all is handled. Throws as push().
  void drain();
  /// Ends the thread; what was not handled yet is dropped. Nothing is pushed afterwards.
  void stop();

 private:
  void serve(const std::stop_token& stop);
  void rethrow_failure();

  std::function<void(const TapBlock&)> handle_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::condition_variable idle_;
  std::deque<TapBlock> blocks_;  ///< the front one is being handled
  std::exception_ptr failure_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace qaq
