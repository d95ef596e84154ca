#pragma once

#include <cuda_runtime_api.h>
#include <memory>

#include "gpu/device/stream.h"

namespace qaq::cuda {

/// Whether work is to be captured at all: yes, unless QAQ_CUDA_GRAPH is 0.
bool graphs_enabled();

/// Work that was captured once and is queued as a whole. It has the arguments that it was captured
/// with: what changes from launch to launch, lengths above all, it must read from device memory.
class Graph {
 public:
  /// Queues it. Launches take turns, also on several streams. Throws Error{work}.
  void launch(const Stream& stream) const;

 private:
  friend class StreamCapture;
  struct Destroy {
    void operator()(cudaGraphExec_t exec) const;
  };
  explicit Graph(cudaGraphExec_t exec) : exec_(exec) {}

  std::unique_ptr<CUgraphExec_st, Destroy> exec_;
};

/// While there is one, what is queued on the stream is captured and does not run. Streams that wait
/// for an event recorded on it join in, and must be waited for in turn before finish(). The thread
/// that captures takes and frees no GPU memory, and waits for nothing, until the capture has ended:
/// CUDA would refuse that, and the graph. Without finish(), as after an exception, what was
/// captured is dropped and the stream is as before.
class StreamCapture {
 public:
  /// `stream` must outlive it. Throws Error{work}.
  explicit StreamCapture(const Stream& stream);
  ~StreamCapture();
  StreamCapture(const StreamCapture&) = delete;
  StreamCapture& operator=(const StreamCapture&) = delete;

  /// Ends the capture, once. Throws Error{work} where something was queued that no graph can hold,
  /// or where the GPU has no memory left for it; the stream is as before then, too.
  Graph finish();

 private:
  const Stream* stream_;  ///< null: ended
};

}  // namespace qaq::cuda
