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
  /// `timed`: seconds between two of them can be asked for. Throws Error{work}.
  explicit Event(bool timed = false);
  ~Event();
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(const Stream& stream) const;
  /// Waits until what was recorded is done; nothing was: returns at once.
  void wait() const;
  /// What is queued on `stream` from now on runs after what was recorded.
  void hold(const Stream& stream) const;
  /// As record(), of a timed one that nothing waits for. Where the stream is being captured, each
  /// launch of the graph records it.
  void stamp(const Stream& stream) const;
  /// From this one to a later one, both timed and waited for.
  double seconds_until(const Event& later) const;

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace qaq::cuda
