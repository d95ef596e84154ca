#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "gpu/codec/streamed_side.h"
#include "gpu/engine/cuda_ops.h"

namespace qaq::cuda {

/// Operations of a model that decodes on a quantized cache (section 5 of the mathematics, a closed
/// loop). The prompt runs as in CudaOps, over a cache of its own that goes when it is packed. Then
/// a token attends to the pages as they stand, and to those behind the last plan in the tail; its
/// row of scores gives importance, and what the plan changes is written. That follows group by
/// group of layers on a stream of its own, while the model goes on: a layer's pages are not read
/// again in the step. The kernel that writes them reads units that get more bits from the host's
/// copy, and takes the new token's rows there, so that the link's time hides, too; the step ends
/// when all is written.
class StreamingOps : public CudaOps {
 public:
  /// What it takes of the GPU at its most: a pure function. Throws as StreamedSide::memory().
  static MemoryPlan memory(const ModelSpec& spec, const EngineLimits& limits,
                           const StreamingSetup& setup);

  /// The first run is the prompt, of limits.max_batch tokens at most; then one token a run.
  StreamingOps(const ModelSpec& spec, const EngineLimits& limits, const StreamingSetup& setup,
               std::shared_ptr<CublasLt> library);

  void begin(const BatchRows& run, bool tapped) override;
  void rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) override;
  void attention(std::int64_t layer, const BatchRows& run, const Tensor& out,
                 TapSink* taps) override;
  void sync() override;

  const StreamedSide& side(CacheSide side) const { return side == CacheSide::key ? key_ : value_; }
  const Stream& stream() const { return stream_; }
  std::int64_t n_planned() const { return n_planned_; }
  /// Of the last step: what its quantization took on the GPU, beside the model or not, and by how
  /// much it made the step longer.
  double quantizing_seconds() const { return quantizing_seconds_; }
  double exposed_seconds() const { return exposed_seconds_; }
  /// Of all plans so far.
  const PlanCounts& counts(CacheSide side) const {
    return side == CacheSide::key ? key_counts_ : value_counts_;
  }

 private:
  bool in_prompt() const { return n_planned_ == 0; }
  void attend_prompt(std::int64_t layer, const BatchRows& run, const Tensor& out);
  void attend_pages(std::int64_t layer, const Tensor& out);
  void quantize(const LayerRange& layers);
  void join();
  void end_prompt();
  void end_step();

  /// When a group's quantization was at work.
  struct Span {
    Event first{true}, last{true};
  };

  StreamingSetup setup_;
  StreamedSide key_, value_;
  float* scores_;  // (n_layers, n_heads, stride)
  std::int64_t score_stride_;
  std::int64_t first_row_ = 0;  // where importance began to see rows
  float* prompt_scores_;        // slabs of some rows of a layer
  float* mix_work_;
  DecodeStep* step_;
  PinnedBuffer<std::byte> host_step_;  // a DecodeStep
  std::int64_t prompt_ = 0;            // tokens
  std::int64_t n_planned_ = 0;         // tokens that the last plan covered
  PlanCounts key_counts_, value_counts_;
  bool planned_ = false;  // the run's step plans
  double quantizing_seconds_ = 0, exposed_seconds_ = 0;
  std::int64_t layers_together_;
  std::vector<Span> spans_;  // a group each
  Event attended_, packed_;
  Event done_{true}, joined_{true};  // the model's own work, and all of the run
  Stream fetch_;                     // last: its work is done before memory goes
};

}  // namespace qaq::cuda
