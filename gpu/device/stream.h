#pragma once

#include <cuda_runtime_api.h>

namespace qaq::cuda {

/// Work that the GPU does in order.
class Stream {
 public:
  /// Throws Error{work}.
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return stream_; }
  /// Waits for all that was queued. Throws Error{work} where any of it failed.
  void wait() const;

 private:
  cudaStream_t stream_ = nullptr;
};

/// A place in a stream that the host waits for.
class Event {
 public:
  /// Throws Error{work}.
  Event();
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  cudaEvent_t get() const { return event_; }
  void record(const Stream& stream) const;
  /// Waits until what was recorded is done; nothing was: returns at once.
  void wait() const;

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace qaq::cuda
