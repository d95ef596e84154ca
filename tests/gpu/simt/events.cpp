#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "tests/gpu/simt/runtime.h"
#include "tests/gpu/simt/simt.h"
#include "tests/gpu/simt/streams.h"

namespace simt {

namespace {

using EventMap = std::map<cudaEvent_t, std::shared_ptr<Event>>;

EventMap& events() {
  static EventMap& instance = *new EventMap;
  return instance;
}

/// Null where there is no such event.
std::shared_ptr<Event> find(cudaEvent_t handle) {
  const auto found = events().find(handle);
  return found == events().end() ? nullptr : found->second;
}

bool& times_pieces() {
  static bool times = false;
  return times;
}

cudaError_t record(cudaEvent_t handle, cudaStream_t stream_handle, unsigned flags) {
  std::shared_ptr<Event> event = find(handle);
  Stream* stream = Streams::instance().find(stream_handle);
  if (!event) return remember(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = use_of(stream); error != cudaSuccess) return error;
  const bool external = flags == cudaEventRecordExternal;
  if (flags != cudaEventRecordDefault && !external) return remember(cudaErrorInvalidValue);
  if (stream->capturing.capture) {
    return external ? record_by_graph(*stream, std::move(event))
                    : record_in_capture(*stream, *event);
  }
  if (external) return remember(cudaErrorInvalidValue);
  event->captured = {};
  const unsigned long version = event->recorded + 1;
  // Counted first: without deferral it is done within submit().
  event->recorded = version;
  return Streams::instance().submit(*stream, {.records = std::move(event), .version = version});
}

cudaError_t wait(cudaStream_t stream_handle, cudaEvent_t handle) {
  std::shared_ptr<Event> event = find(handle);
  Stream* stream = Streams::instance().find(stream_handle);
  if (!event) return remember(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = use_of(stream); error != cudaSuccess) return error;
  if (stream->capturing.capture || event->captured.capture) return wait_in_capture(*stream, *event);
  const unsigned long version = event->recorded;
  return Streams::instance().submit(*stream, {.awaits = std::move(event), .version = version});
}

/// Why the host can neither wait for an event nor ask for it.
cudaError_t wait_for(const Event* event) {
  if (!event) return remember(cudaErrorInvalidResourceHandle);
  const auto& capture = event->captured.capture;
  return capture ? invalidate(*capture, cudaErrorCapturedEvent) : unsafe_call();
}

}  // namespace

void time_pieces(bool on) {
  const ApiCall call;
  times_pieces() = on;
}

std::size_t live_events() {
  const ApiCall call;
  return events().size();
}

}  // namespace simt

extern "C" {

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* handle, unsigned flags) {
  const simt::ApiCall call;
  if (const cudaError_t error = simt::standing_error(); error != cudaSuccess) {
    return simt::remember(error);
  }
  auto event = std::make_shared<simt::Event>();
  event->timed = (flags & cudaEventDisableTiming) == 0;
  *handle = reinterpret_cast<cudaEvent_t>(event.get());
  simt::events()[*handle] = std::move(event);
  return cudaSuccess;
}

cudaError_t cudaEventCreate(cudaEvent_t* handle) {
  return cudaEventCreateWithFlags(handle, cudaEventDefault);
}

// Work that is queued keeps its event.
cudaError_t cudaEventDestroy(cudaEvent_t handle) {
  const simt::ApiCall call;
  if (simt::events().erase(handle) == 0) return simt::remember(cudaErrorInvalidResourceHandle);
  return simt::remember(simt::standing_error());
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  const simt::ApiCall call;
  return simt::record(event, stream, cudaEventRecordDefault);
}

cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned flags) {
  const simt::ApiCall call;
  return simt::record(event, stream, flags);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  const simt::ApiCall call;
  return simt::wait(stream, event);
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
  const simt::ApiCall call;
  const std::shared_ptr<simt::Event> event = simt::find(handle);
  if (const cudaError_t error = simt::wait_for(event.get()); error != cudaSuccess) return error;
  return simt::drain_event(*event, event->recorded);
}

// Who asks and asks again makes the streams go on.
cudaError_t cudaEventQuery(cudaEvent_t handle) {
  const simt::ApiCall call;
  const std::shared_ptr<simt::Event> event = simt::find(handle);
  if (const cudaError_t error = simt::wait_for(event.get()); error != cudaSuccess) return error;
  if (const cudaError_t error = simt::standing_error(); error != cudaSuccess) return error;
  if (event->complete()) return cudaSuccess;
  simt::Streams::instance().step();
  return cudaErrorNotReady;
}

// Time is not played, but as a number of pieces of work for those who ask for it.
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
  const simt::ApiCall call;
  const std::shared_ptr<simt::Event> first = simt::find(start), last = simt::find(end);
  for (const auto& event : {first, last}) {
    if (!event || !event->timed || event->recorded == 0) {
      return simt::remember(cudaErrorInvalidResourceHandle);
    }
  }
  if (!first->complete() || !last->complete()) return cudaErrorNotReady;
  *milliseconds = 0;
  if (simt::times_pieces()) {
    *milliseconds = static_cast<float>(static_cast<std::int64_t>(last->at - first->at));
  }
  return cudaSuccess;
}
}
