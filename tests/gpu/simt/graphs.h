// Graphs: work that is kept and queued as a whole, again and again. Only the shim's sources include
// this.
#pragma once

#include <cstddef>
#include <cuda_runtime_api.h>
#include <functional>
#include <memory>
#include <vector>

#include "tests/gpu/simt/random.h"

namespace simt {

/// Work with its arguments as they were when it was captured, and the nodes before it.
struct GraphNode {
  std::function<cudaError_t()> work;
  std::vector<std::size_t> after;
};
using GraphNodes = std::vector<GraphNode>;

/// The new graph's handle.
cudaGraph_t keep_graph(GraphNodes nodes);

struct GraphExec {
  GraphNodes nodes;
  unsigned long launched = 0;  ///< how often
  unsigned long done = 0;      ///< the last launch that came to its end
};

/// One launch of a graph, on its way until it is destroyed.
class GraphRun {
 public:
  explicit GraphRun(std::shared_ptr<GraphExec> exec);
  ~GraphRun();
  GraphRun(const GraphRun&) = delete;
  GraphRun& operator=(const GraphRun&) = delete;

  /// Launches of one graph take turns, on whichever streams they are.
  bool may_run() const { return exec_->done + 1 >= launch_; }
  bool finished() const { return n_done_ == done_.size(); }
  /// Does one node whose turn it may be, a random one.
  cudaError_t step(Random& random);

 private:
  bool ready(std::size_t node) const;

  std::shared_ptr<GraphExec> exec_;
  unsigned long launch_;
  std::vector<bool> done_;
  std::size_t n_done_ = 0;
};

}  // namespace simt
