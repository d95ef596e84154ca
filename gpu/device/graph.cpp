#include "gpu/device/graph.h"

#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "gpu/device/error.h"

namespace qaq::cuda {
namespace {

struct DestroyCaptured {
  void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
};
using CapturedGraph = std::unique_ptr<CUgraph_st, DestroyCaptured>;

/// As check(), and the next call is not to blame for the error.
void check_and_forget(cudaError_t status, const char* what) {
  if (status != cudaSuccess) cudaGetLastError();
  check(status, what);
}

}  // namespace

bool graphs_enabled() {
  const char* setting = std::getenv("QAQ_CUDA_GRAPH");
  return !setting || std::string_view(setting) != "0";
}

void Graph::Destroy::operator()(cudaGraphExec_t exec) const { cudaGraphExecDestroy(exec); }

void Graph::launch(const Stream& stream) const {
  check(cudaGraphLaunch(exec_.get(), stream.get()), "launching a graph");
}

// Thread-local: other threads, that of the taps among them, allocate and wait as they please.
StreamCapture::StreamCapture(const Stream& stream) : stream_(&stream) {
  check_and_forget(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal),
                   "beginning a capture");
}

StreamCapture::~StreamCapture() {
  if (!stream_) return;
  cudaGraph_t graph = nullptr;
  if (cudaStreamEndCapture(stream_->get(), &graph) != cudaSuccess) cudaGetLastError();
  const CapturedGraph dropped(graph);
}

Graph StreamCapture::finish() {
  if (!stream_) throw std::logic_error("a capture ends once");
  const Stream& stream = *std::exchange(stream_, nullptr);
  cudaGraph_t graph = nullptr;
  const cudaError_t status = cudaStreamEndCapture(stream.get(), &graph);
  const CapturedGraph captured(graph);
  check_and_forget(status, "capturing a graph");
  cudaGraphExec_t exec = nullptr;
  check_and_forget(cudaGraphInstantiate(&exec, captured.get(), 0), "making a graph ready");
  return Graph(exec);
}

}  // namespace qaq::cuda
