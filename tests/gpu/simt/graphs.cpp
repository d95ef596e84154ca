#include "tests/gpu/simt/graphs.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tests/gpu/simt/capture.h"
#include "tests/gpu/simt/runtime.h"
#include "tests/gpu/simt/simt.h"
#include "tests/gpu/simt/streams.h"

namespace simt {
namespace {

struct Graphs {
  std::map<cudaGraph_t, std::unique_ptr<GraphNodes>> captured;
  std::map<cudaGraphExec_t, std::shared_ptr<GraphExec>> executable;
};

Graphs& graphs() {
  static Graphs& instance = *new Graphs;
  return instance;
}

cudaError_t instantiate(cudaGraphExec_t* handle, cudaGraph_t graph) {
  if (const cudaError_t error = standing_error(); error != cudaSuccess) return remember(error);
  const auto found = graphs().captured.find(graph);
  if (found == graphs().captured.end()) return remember(cudaErrorInvalidValue);
  // A GPU keeps a graph in memory of the device.
  if (allocation_must_fail()) return remember(cudaErrorMemoryAllocation);
  auto exec = std::make_shared<GraphExec>(GraphExec{.nodes = *found->second});
  *handle = reinterpret_cast<cudaGraphExec_t>(exec.get());
  graphs().executable[*handle] = std::move(exec);
  return cudaSuccess;
}

cudaError_t launch(cudaGraphExec_t handle, cudaStream_t stream_handle) {
  const auto found = graphs().executable.find(handle);
  Stream* stream = Streams::instance().find(stream_handle);
  if (found == graphs().executable.end()) return remember(cudaErrorInvalidValue);
  if (const cudaError_t error = use_of(stream); error != cudaSuccess) return error;
  // A GPU takes graphs into graphs; this shim does not.
  if (const auto& capture = stream->capturing.capture) {
    return invalidate(*capture, cudaErrorStreamCaptureUnsupported);
  }
  return Streams::instance().submit(*stream, {.graph = std::make_shared<GraphRun>(found->second)});
}

}  // namespace

cudaGraph_t keep_graph(GraphNodes nodes) {
  auto graph = std::make_unique<GraphNodes>(std::move(nodes));
  const auto handle = reinterpret_cast<cudaGraph_t>(graph.get());
  graphs().captured[handle] = std::move(graph);
  return handle;
}

GraphRun::GraphRun(std::shared_ptr<GraphExec> exec)
    : exec_(std::move(exec)), launch_(++exec_->launched), done_(exec_->nodes.size()) {}

GraphRun::~GraphRun() { exec_->done = std::max(exec_->done, launch_); }

bool GraphRun::ready(std::size_t node) const {
  return !done_[node] && std::ranges::all_of(exec_->nodes[node].after,
                                             [this](std::size_t before) { return done_[before]; });
}

cudaError_t GraphRun::step(Random& random) {
  std::vector<std::size_t> nodes;
  for (std::size_t node = 0; node < done_.size(); ++node) {
    if (ready(node)) nodes.push_back(node);
  }
  if (nodes.empty()) return cudaSuccess;
  const std::size_t node = nodes[random.below(nodes.size())];
  done_[node] = true;
  ++n_done_;
  return exec_->nodes[node].work();
}

std::size_t live_graphs() {
  const ApiCall call;
  return graphs().captured.size() + graphs().executable.size();
}

}  // namespace simt

extern "C" {

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph,
                                 unsigned long long flags) {
  const simt::ApiCall call;
  // The flags are for graphs that allocate, or that the device launches.
  if (!exec || flags != 0) return simt::remember(cudaErrorInvalidValue);
  return simt::instantiate(exec, graph);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  const simt::ApiCall call;
  return simt::launch(exec, stream);
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  const simt::ApiCall call;
  if (simt::graphs().captured.erase(graph) == 0) return simt::remember(cudaErrorInvalidValue);
  return simt::remember(simt::standing_error());
}

// Launches that are queued keep it.
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  const simt::ApiCall call;
  if (simt::graphs().executable.erase(exec) == 0) return simt::remember(cudaErrorInvalidValue);
  return simt::remember(simt::standing_error());
}
}
