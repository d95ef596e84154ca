#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/tensor/page_buffer.h"

namespace qaq {

/// Buffers for what an engine hands to its taps. A sink may hold a buffer while the engine goes on;
/// the engine waits for the oldest when the sum of those held passes the limit, so that a slow disk
/// slows the run instead of filling the memory. Thread-safe.
class TapPool {
 public:
  /// At most `max_bytes` are handed out at a time, or one buffer where that alone is larger.
  explicit TapPool(std::int64_t max_bytes) : state_(std::make_shared<State>(max_bytes)) {}

  /// A buffer of n numbers, of any content. It comes back to the pool when the last copy of the
  /// pointer goes, also after the pool itself.
  std::shared_ptr<float> take(std::int64_t n);

  /// What the buffers take now, those handed out and those kept for later; `max_bytes` at most, but
  /// for one that is larger.
  std::int64_t bytes() const;

 private:
  struct State {
    explicit State(std::int64_t limit) : max_bytes(limit) {}
    const std::int64_t max_bytes;
    std::mutex mutex;
    std::condition_variable returned;
    std::int64_t bytes_out = 0;
    std::int64_t bytes_spare = 0;
    std::vector<PageBuffer> spare;  ///< kept, because fresh pages cost as much as writing them
  };
  std::shared_ptr<State> state_;
};

}  // namespace qaq
