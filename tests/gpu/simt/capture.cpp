#include "tests/gpu/simt/capture.h"

#include <algorithm>
#include <utility>

#include "tests/gpu/simt/runtime.h"
#include "tests/gpu/simt/streams.h"

namespace simt {
namespace {

using CapturePointer = std::shared_ptr<Capture>;

std::vector<CapturePointer>& open_captures() {
  static std::vector<CapturePointer>& instance = *new std::vector<CapturePointer>;
  return instance;
}

void close(const CapturePointer& capture) {
  capture->open = false;
  Streams::instance().leave(*capture);
  std::erase(open_captures(), capture);
}

bool forbids_unsafe_calls(const Capture& capture) {
  if (capture.mode == cudaStreamCaptureModeRelaxed) return false;
  return capture.mode == cudaStreamCaptureModeGlobal ||
         capture.thread == std::this_thread::get_id();
}

/// Invalidates the captures that error_of(capture) objects for, and gives the last objection.
template <class ErrorOf>
cudaError_t ask_captures(ErrorOf error_of) {
  cudaError_t result = cudaSuccess;
  for (const CapturePointer& capture : open_captures()) {
    const cudaError_t error = error_of(*capture);
    if (error != cudaSuccess) result = invalidate(*capture, error);
  }
  return result;
}

/// Whether all nodes are among these or before them.
bool joined(const GraphNodes& nodes, std::vector<std::size_t> last) {
  std::vector<bool> seen(nodes.size());
  while (!last.empty()) {
    const std::size_t node = last.back();
    last.pop_back();
    if (seen[node]) continue;
    seen[node] = true;
    last.insert(last.end(), nodes[node].after.begin(), nodes[node].after.end());
  }
  return std::ranges::all_of(seen, [](bool is) { return is; });
}

cudaError_t begin(Stream& stream, cudaStreamCaptureMode mode) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (stream.capturing.capture) return remember(cudaErrorIllegalState);
  stream.capturing.capture = std::make_shared<Capture>(Capture{.origin = &stream, .mode = mode});
  open_captures().push_back(stream.capturing.capture);
  return cudaSuccess;
}

/// Whatever it returns but cudaErrorStreamCaptureWrongThread, the stream captures no more.
cudaError_t end(Stream& stream, cudaGraph_t* graph) {
  const auto [capture, last] = stream.capturing;
  if (!capture) return remember(cudaErrorIllegalState);
  if (capture->origin != &stream) return invalidate(*capture, cudaErrorStreamCaptureUnmatched);
  if (capture->mode != cudaStreamCaptureModeRelaxed &&
      capture->thread != std::this_thread::get_id()) {
    return remember(cudaErrorStreamCaptureWrongThread);
  }
  close(capture);
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  if (!capture->valid) return remember(cudaErrorStreamCaptureInvalidated);
  if (!joined(capture->nodes, last)) return remember(cudaErrorStreamCaptureUnjoined);
  *graph = keep_graph(std::move(capture->nodes));
  return cudaSuccess;
}

cudaStreamCaptureStatus status_of(const CapturePointer& capture) {
  if (!capture) return cudaStreamCaptureStatusNone;
  return capture->valid ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusInvalidated;
}

}  // namespace

cudaError_t invalidate(Capture& capture, cudaError_t error) {
  capture.valid = false;
  return remember(error);
}

cudaError_t add_to_capture(Stream& stream, std::function<cudaError_t()> work) {
  auto& [capture, behind] = stream.capturing;
  if (!capture->valid) return remember(cudaErrorStreamCaptureInvalidated);
  capture->nodes.push_back({.work = std::move(work), .after = std::move(behind)});
  behind = {capture->nodes.size() - 1};
  return cudaSuccess;
}

cudaError_t record_in_capture(const Stream& stream, Event& event) {
  if (!stream.capturing.capture->valid) return remember(cudaErrorStreamCaptureInvalidated);
  event.captured = stream.capturing;
  return cudaSuccess;
}

cudaError_t record_by_graph(Stream& stream, std::shared_ptr<Event> event) {
  return add_to_capture(stream, [event = std::move(event)] {
    event->captured = {};
    event->reach(++event->recorded, Streams::instance().now());
    return cudaSuccess;
  });
}

cudaError_t wait_in_capture(Stream& stream, const Event& event) {
  const auto& [theirs, behind] = event.captured;
  auto& [ours, ours_behind] = stream.capturing;
  if (ours && !ours->valid) return remember(cudaErrorStreamCaptureInvalidated);
  const bool recorded_here = theirs && theirs->open;
  if (!recorded_here) {
    return ours ? invalidate(*ours, cudaErrorStreamCaptureIsolation)
                : remember(cudaErrorCapturedEvent);
  }
  if (!theirs->valid) return remember(cudaErrorStreamCaptureInvalidated);
  if (ours && ours != theirs) {
    invalidate(*theirs, cudaErrorStreamCaptureMerge);
    return invalidate(*ours, cudaErrorStreamCaptureMerge);
  }
  ours = theirs;
  for (const std::size_t node : behind) {
    if (std::ranges::find(ours_behind, node) == ours_behind.end()) ours_behind.push_back(node);
  }
  return cudaSuccess;
}

cudaError_t use_of_null_stream() {
  return ask_captures([](const Capture& capture) {
    if (capture.origin->with_null_stream) return cudaErrorStreamCaptureImplicit;
    // A GPU would run it at once and leave it out of the graph, which nobody means.
    return forbids_unsafe_calls(capture) ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
  });
}

cudaError_t unsafe_call() {
  return ask_captures([](const Capture& capture) {
    return forbids_unsafe_calls(capture) ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
  });
}

cudaError_t wait_for_device() {
  return ask_captures([](const Capture&) { return cudaErrorStreamCaptureUnsupported; });
}

void leave_capture(Stream& stream) {
  const CapturePointer capture = std::exchange(stream.capturing, {}).capture;
  if (!capture) return;
  capture->valid = false;
  if (capture->origin == &stream) close(capture);
}

void drop_captures() {
  while (!open_captures().empty()) close(CapturePointer(open_captures().back()));
}

}  // namespace simt

extern "C" {

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode mode) {
  const simt::ApiCall call;
  simt::Streams& streams = simt::Streams::instance();
  simt::Stream* stream = streams.find(handle);
  if (!stream) return simt::remember(cudaErrorInvalidResourceHandle);
  if (streams.is_null(*stream)) return simt::remember(cudaErrorStreamCaptureUnsupported);
  return simt::begin(*stream, mode);
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
  const simt::ApiCall call;
  simt::Stream* stream = simt::Streams::instance().find(handle);
  if (!stream) return simt::remember(cudaErrorInvalidResourceHandle);
  *graph = nullptr;
  return simt::end(*stream, graph);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
  const simt::ApiCall call;
  const simt::Stream* stream = simt::Streams::instance().find(handle);
  if (!stream) return simt::remember(cudaErrorInvalidResourceHandle);
  if (const cudaError_t error = simt::standing_error(); error != cudaSuccess) {
    return simt::remember(error);
  }
  *status = simt::status_of(stream->capturing.capture);
  return cudaSuccess;
}
}
