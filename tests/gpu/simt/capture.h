// Stream capture: what is queued on a capturing stream becomes a node of a graph and does not run.
// Only the shim's sources include this.
#pragma once

#include <cstddef>
#include <cuda_runtime_api.h>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "tests/gpu/simt/graphs.h"

namespace simt {

struct Event;
struct Stream;

/// From cudaStreamBeginCapture to cudaStreamEndCapture.
struct Capture {
  const Stream* origin = nullptr;
  cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;
  std::thread::id thread = std::this_thread::get_id();
  bool open = true;
  bool valid = true;
  GraphNodes nodes = {};
};

/// Where a stream stands in a capture, or an event was recorded in one. No capture: in none.
struct CapturePlace {
  std::shared_ptr<Capture> capture = {};
  std::vector<std::size_t> behind = {};  ///< the nodes that what comes next depends on
};

/// From here on the capture gives no graph. Gives the error back, remembered.
cudaError_t invalidate(Capture& capture, cudaError_t error);

/// Keeps work of a stream that is in a capture.
cudaError_t add_to_capture(Stream& stream, std::function<cudaError_t()> work);
/// Records an event on a stream that is in a capture.
cudaError_t record_in_capture(const Stream& stream, Event& event);
/// Records an event whenever the graph comes there.
cudaError_t record_by_graph(Stream& stream, std::shared_ptr<Event> event);
/// Makes a stream wait for an event where either of them is in a capture: takes the stream into it.
cudaError_t wait_in_capture(Stream& stream, const Event& event);

/// What a use of the null stream comes to while others capture.
cudaError_t use_of_null_stream();
/// What a call comes to that must not be made while the thread captures: no graph would repeat it.
cudaError_t unsafe_call();
/// What waiting for all streams comes to.
cudaError_t wait_for_device();

/// The stream is about to go.
void leave_capture(Stream& stream);
/// Ends all captures.
void drop_captures();

}  // namespace simt
