#include "gpu/device/stream.h"

#include "gpu/device/error.h"

namespace qaq::cuda {

Stream::Stream() {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
}

Stream::~Stream() {
  // What is queued may still use memory that goes next.
  cudaStreamSynchronize(stream_);
  cudaStreamDestroy(stream_);
}

void Stream::wait() const { check(cudaStreamSynchronize(stream_), "the GPU's work"); }

Event::Event(bool timed) {
  check(cudaEventCreateWithFlags(&event_, timed ? cudaEventDefault : cudaEventDisableTiming),
        "making an event");
}

Event::~Event() { cudaEventDestroy(event_); }

void Event::record(const Stream& stream) const {
  check(cudaEventRecord(event_, stream.get()), "recording an event");
}

void Event::hold(const Stream& stream) const {
  check(cudaStreamWaitEvent(stream.get(), event_, 0), "waiting for an event");
}

void Event::stamp(const Stream& stream) const {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(stream.get(), &status), "recording a time");
  const unsigned flags =
      status == cudaStreamCaptureStatusNone ? cudaEventRecordDefault : cudaEventRecordExternal;
  check(cudaEventRecordWithFlags(event_, stream.get(), flags), "recording a time");
}

double Event::seconds_until(const Event& later) const {
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, event_, later.event_), "timing");
  return milliseconds / 1000.0;
}

void Event::wait() const { check(cudaEventSynchronize(event_), "the GPU's work"); }

}  // namespace qaq::cuda
