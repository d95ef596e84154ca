#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/engine/memory_plan.h"
#include "core/engine/ops.h"
#include "core/engine/rope_angles.h"
#include "core/model/model_spec.h"
#include "gpu/cuda/kernels/half_attention.h"
#include "gpu/device/buffer.h"
#include "gpu/device/graph.h"
#include "gpu/device/stream.h"
#include "gpu/engine/products.h"
#include "gpu/engine/tap_ring.h"
#include "gpu/engine/weight_upload.h"

namespace qaq::cuda {

/// Ops on a GPU. float32 is the mode that is held against the CPU's bounds: no TF32. In 16 bits
/// weights, inputs of products, queries and the cache are rounded once to limits.dtype; sums, the
/// residual stream, norms, softmax and scores stay float32. Calls are queued on one stream and none
/// waits; taps go through a ring. A decode step in 16 bits is captured once in 512 tokens of
/// context and played as a graph from then on.
class CudaOps : public Ops {
 public:
  /// Takes all device memory at once; `library` may be null. Throws Error{work}.
  CudaOps(const ModelSpec& spec, const EngineLimits& limits, std::shared_ptr<CublasLt> library)
      : CudaOps(spec, limits, std::move(library), limits.max_tokens, 0) {}

  Tensor load_weight(const WeightView& weight) override;
  Tensor allocate(std::string_view name, std::int64_t rows, std::int64_t cols,
                  ActivationUse use) override;
  Tensor rows(const Tensor& matrix, std::int64_t first, std::int64_t n_rows) const override;
  void begin(const BatchRows& run, bool tapped) override;
  void embed(const Tensor& table, std::span<const std::int32_t> ids, const Tensor& out) override;
  void norm(const Tensor& in, const Tensor& weight, std::int64_t n_rows,
            const Tensor& out) override;
  void linear(const Tensor& in, std::int64_t n_rows, std::span<const Projection> outputs) override;
  void rotate_append(std::int64_t layer, const BatchRows& rows, const HeadRows& heads) override;
  void attention(std::int64_t layer, const BatchRows& run, const Tensor& out,
                 TapSink* taps) override;
  void replace_cache(std::int64_t layer, std::int64_t n_tokens, const NdView<const float, 3>& key,
                     const NdView<const float, 3>& value) override;
  Tensor activate(const Tensor& gate, const Tensor& up, std::int64_t n_rows) override;
  void logits(const BatchRows& rows, const Tensor& in, const Tensor& head, TapSink* taps) override;
  void sync() override;
  void cancel() override;
  std::span<const float> last_logits() const override;

 protected:
  /// With a cache of `cache_tokens` tokens, which release_cache() gives back, and `more_bytes` in
  /// the arena for what a subclass takes of it.
  CudaOps(const ModelSpec& spec, const EngineLimits& limits, std::shared_ptr<CublasLt> library,
          std::int64_t cache_tokens, std::int64_t more_bytes);

  std::int64_t bytes_of_numbers(std::int64_t n) const { return n * bytes_of(limits_.dtype); }
  std::byte* take_numbers(std::int64_t n);
  /// Row `position` of head 0 of a layer in a cache array; heads are max_tokens rows apart.
  std::byte* cache_rows(std::byte* cache, std::int64_t layer, std::int64_t position) const;
  void upload(const void* from, std::int64_t bytes, void* to);
  void download(const void* from, std::int64_t bytes, void* to);
  void multiply(const void* in, std::int64_t n_rows, const Projection& output);
  HalfAttentionCall attention_call(std::int64_t layer, const BatchRows& run, const Tensor& out);
  void attend(const HalfAttentionCall& call, const AttentionPart& part, float* scores);
  /// Where keys and values of rows go: from row 0, or row *row, of a layer's first head on.
  struct HeadTarget {
    std::byte* key = nullptr;
    std::byte* value = nullptr;
    std::int64_t stride = 0;  ///< rows between two heads
    const std::int64_t* row = nullptr;
  };
  void rotate_into(const HeadRows& heads, const BatchRows& rows, const HeadTarget& to);
  /// Nothing attends to the cache any more: its memory goes back.
  void release_cache();
  /// Ends the run's capture where there is one, and queues the run's graph where there is one.
  void launch();
  std::int64_t bucket_end(const BatchRows& run) const;

 private:
  void attend_tapped(const HalfAttentionCall& call, TapBlock block, TapSink& taps);
  void attend_summed(const HalfAttentionCall& call, const TapBlock& block, std::byte* region);
  void summarize(const float* logits, const TapBlock& block, std::int64_t k, float* to);
  void tap_heads(std::int64_t layer, TapSink& taps);
  void tap_rows(TapBlock block, const std::byte* from, std::int64_t head_stride, TapSink& taps);

 protected:
  ModelSpec spec_;
  EngineLimits limits_;
  Arena arena_;
  std::int64_t cache_tokens_;
  std::unique_ptr<Arena> cache_arena_;
  std::byte *keys_, *values_;  // (n_layers, n_kv_heads, cache_tokens, D)
  std::byte* query_heads_;     // (n_heads, rows of the run, D)
  std::byte* activated_;       // (rows of a chunk, intermediate_size); none in float32
  float *cos_, *sin_;          // (rows of the run, n_rotary_dim / 2)
  float* logits_;              // (logits_rows(), vocab_size)
  std::int32_t* ids_;          // (rows of the run)
  std::int64_t* position_;     // of the run's first row
  float* attention_work_;      // of few rows in 16 bits
  Products products_;
  WeightUpload weights_;
  BatchRows run_;
  /// One row, not tapped: what changes from token to token lies in device memory, so that the same
  /// calls can be played again.
  bool steady_ = false;
  int variant_ = 0;  ///< what a subclass makes of a steady run; each has graphs of its own
  const Graph* playing_ = nullptr;  // the run's calls are its; they queue nothing
  RopeAngles angles_;
  PinnedBuffer<float> host_angles_;
  PinnedBuffer<std::int32_t> host_ids_;
  PinnedBuffer<std::int64_t> host_position_;
  PinnedBuffer<float> last_logits_;
  Stream stream_;
  std::map<std::pair<std::int64_t, int>, Graph> graphs_;  // by bucket_end() and variant
  std::optional<StreamCapture> capture_;                  // of the run
  std::int64_t region_bytes_ = 0;                         // of the ring
  std::unique_ptr<TapRing> ring_;  // last: its work and the stream's are done before memory goes
};

}  // namespace qaq::cuda
